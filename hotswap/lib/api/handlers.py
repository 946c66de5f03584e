"""Django's own error pages: under ``/api/`` they have the API's shape."""

import sys
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from hotswap.lib.api.errors import INTERNAL, problem_of, problem_response
from hotswap.lib.api.problems import Problem

PREFIX = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PREFIX):
        known = problem_of(exception)
        return problem_response(known or Problem(400, "invalid", "The request is malformed."))
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PREFIX):
        return problem_response(Problem(403, "forbidden", "You may not do this."))
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PREFIX):
        message = f"{request.path} is no address of this API; GET /api/v1/schema lists them."
        return problem_response(Problem(404, "not_found", message))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    if request.path.startswith(PREFIX):
        error = sys.exc_info()[1]
        known = problem_of(error) if isinstance(error, Exception) else None
        return problem_response(known or INTERNAL)
    return defaults.server_error(request)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """django-axes' answer once a name is locked; the API has written its own by then."""
    if request.path.startswith(PREFIX):
        return response
    context = {"attempts": settings.AXES_FAILURE_LIMIT, "span": settings.AXES_COOLOFF_TIME}
    return render(request, "accounts/locked.html", context, status=429)
