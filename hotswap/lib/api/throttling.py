"""Requests per minute, by caller and class of endpoint, counted in Redis.

A view names its class in ``rate_class`` (``rate_classes`` by action; None: not limited here), else
the method decides between read and write. Without Redis nothing is limited: a broken counter must
not take the API down.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from hotswap.lib.api.credentials import SAFE_METHODS

logger = structlog.get_logger(__name__)

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """Where the caller stands in the current window."""

    limit: int
    used: int
    reset_seconds: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }


class EndpointThrottle(BaseThrottle):
    """Counts every request, also those that it refuses."""

    rate: Rate | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        name = rate_class_of(view, request.method or "")
        if not settings.RATE_LIMITS_ENABLED or name is None:
            return True
        self.rate = _count(name, _caller(self, request))
        if self.rate is None:
            return True
        request._request.rate = self.rate  # type: ignore[attr-defined]
        return not self.rate.is_exceeded

    def wait(self) -> float | None:
        return self.rate.reset_seconds if self.rate else None


class RateHeadersMiddleware:
    """Tells the caller of every counted request where they stand."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        rate = getattr(request, "rate", None)
        for name, value in rate.headers().items() if rate else ():
            response.headers[name] = value
        return response


def rate_class_of(view: Any, method: str) -> str | None:
    by_action = getattr(view, "rate_classes", {})
    action = getattr(view, "action", None)
    if action in by_action:
        return by_action[action]  # type: ignore[no-any-return]
    default = "read" if method in SAFE_METHODS else "write"
    return getattr(view, "rate_class", default)


def _caller(throttle: BaseThrottle, request: Request) -> str:
    user = request.user
    if user.is_authenticated:
        return f"user:{user.pk}" if user.pk else f"key:{getattr(user, 'key_id', '')}"
    return f"address:{throttle.get_ident(request)}"


def _count(name: str, caller: str) -> Rate | None:
    window, passed = divmod(time.time(), WINDOW_SECONDS)
    key = f"rate:{name}:{caller}:{int(window)}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        used = cache.incr(key)
    except (redis.RedisError, OSError, ValueError) as error:
        logger.warning("rate_limits_unavailable", error=str(error))
        return None
    limit = settings.RATE_LIMITS_PER_MINUTE[name]
    return Rate(limit, used, max(1, WINDOW_SECONDS - int(passed)))
