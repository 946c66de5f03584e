"""``/healthz``: the process answers. ``/readyz``: it can do its work. For the network beside it."""

from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hotswap.lib.errors import UnavailableError
from hotswap.lib.keys import jwt_key, signing_key
from plugins.storage import ArtifactStore


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 while something that this process cannot do without is missing; it names what."""
    checks: dict[str, Callable[[], object]] = {
        "database": _ask_database,
        "redis": _ask_redis,
        "keys": _read_keys,
        "artifacts": ArtifactStore().check,
    }
    found = {name: _outcome(check) for name, check in checks.items()}
    is_ready = all(outcome == "ok" for outcome in found.values())
    body = {"status": "ready" if is_ready else "not_ready", "checks": found}
    return JsonResponse(body, status=200 if is_ready else 503)


def _outcome(check: Callable[[], object]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, UnavailableError, OSError) as error:
        # The name alone: an address or a path is nobody's business outside.
        return type(error).__name__
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    try:
        client.ping()
    finally:
        client.close()


def _read_keys() -> None:
    directory = Path(settings.KEYS_DIR)
    jwt_key(directory)
    signing_key(directory)
