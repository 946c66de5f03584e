"""Parts of a page that fetch themselves again: unchanged ones cost an empty answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_GET
from django_htmx.http import HttpResponseClientRefresh

View = Callable[..., HttpResponse]
MOVING_SECONDS = 2
IDLE_SECONDS = 15


def poll_seconds(*, is_moving: bool) -> int:
    return MOVING_SECONDS if is_moving else IDLE_SECONDS


def live_part(view: View) -> View:
    """GET with ETag and 304. A session that ended reloads the whole page, which asks to sign in."""

    @require_GET
    @conditional_page
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponseClientRefresh()
        response = view(request, *args, **kwargs)
        # The browser keeps it but asks each time, so that it can be told "not modified".
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return answer
