"""The one place that knows which HTTP answer an error becomes, and the one shape it has.

``{"error": {"code", "message", "fields"?, "trace_id"}, "type", "title", "status", "detail"}`` as
``application/problem+json``. Nothing of an unexpected error leaves the process but its trace id.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core import exceptions as django_errors
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from hotswap.lib import errors
from hotswap.lib.api.problems import Problem, fields_of_django, fields_of_drf
from hotswap.lib.traces import current_trace_id

logger = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
STATUS_OF_ERROR: Mapping[type[errors.HotSwapError], int] = {
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.StaleError: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.LimitExceededError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
CODE_OF_STATUS = {
    400: "invalid",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
UNAVAILABLE = Problem(503, "unavailable", "The database does not answer now; try again.")
# In this order: RequestDataTooBig is a SuspiciousOperation.
DJANGO_ERRORS: Mapping[type[Exception], Problem] = {
    Http404: Problem(404, "not_found", "There is nothing here for you by that name."),
    django_errors.PermissionDenied: Problem(403, "forbidden", "You may not do this."),
    RequestDataTooBig: Problem(413, "too_large", "The body is larger than this address takes."),
    UnreadablePostError: Problem(400, "malformed_body", "The body ended before it was complete."),
    SuspiciousOperation: Problem(400, "invalid", "The request is malformed."),
    # A NUL in an address, a number beyond the column: what came in, not what is here.
    DataError: Problem(400, "invalid", "A value in the request cannot be stored or looked up."),
    OperationalError: UNAVAILABLE,
    InterfaceError: UNAVAILABLE,
}
INTERNAL = Problem(500, "internal_error", "Something went wrong here; the trace id names it.")


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler for every view under ``/api/``."""
    problem = problem_of(error)
    if problem is None:
        problem = _unexpected(error, context)
    response = Response(body_of(problem), status=problem.status, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def problem_of(error: Exception) -> Problem | None:
    """What to tell the caller, or None when the error is nobody's but ours."""
    if isinstance(error, errors.HotSwapError):
        return _of_hotswap(error)
    if isinstance(error, drf.APIException):
        return _of_drf(error)
    return _of_django(error)


def body_of(problem: Problem) -> dict[str, Any]:
    error: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.fields:
        error["fields"] = problem.fields
    error["trace_id"] = current_trace_id()
    return {
        "error": error,
        "type": f"urn:hotswap:error:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
    }


def problem_response(problem: Problem) -> HttpResponse:
    """The same shape outside DRF: unknown addresses and errors before a view is found."""
    return JsonResponse(body_of(problem), status=problem.status, content_type=CONTENT_TYPE)


def _of_hotswap(error: errors.HotSwapError) -> Problem | None:
    status = next(
        (STATUS_OF_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_OF_ERROR), 0
    )
    if not status:
        return None
    headers = {}
    if isinstance(error, errors.LimitExceededError):
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="hotswap"'
    return Problem(status, error.code, error.message, error.fields, headers)


def _of_drf(error: drf.APIException) -> Problem:
    headers = {}
    # DRF hangs these on errors of several classes.
    auth_header, wait = getattr(error, "auth_header", None), getattr(error, "wait", None)
    if auth_header:
        headers["WWW-Authenticate"] = auth_header
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    if isinstance(error, drf.ValidationError):
        fields = fields_of_drf(error.detail)
        return Problem(400, "invalid", _summary(fields), fields)
    code = CODE_OF_STATUS.get(error.status_code, "invalid")
    if isinstance(error, drf.AuthenticationFailed):
        code = "invalid_credentials"
    if isinstance(error, drf.ParseError):
        code = "malformed_body"
    return Problem(error.status_code, code, str(error.detail), headers=headers)


def _of_django(error: Exception) -> Problem | None:
    if isinstance(error, django_errors.ValidationError):
        fields = fields_of_django(error)
        return Problem(400, "invalid", _summary(fields), fields)
    if isinstance(error, OperationalError | InterfaceError | DataError):
        logger.warning("database_refused", error=str(error))
    return next((problem for cls, problem in DJANGO_ERRORS.items() if isinstance(error, cls)), None)


def _summary(fields: Mapping[str, list[str]]) -> str:
    name, messages = next(iter(fields.items()), ("", ["The request is not valid."]))
    return f"{name}: {messages[0]}" if name and name != "body" else messages[0]


def _unexpected(error: Exception, context: Mapping[str, Any]) -> Problem:
    request = getattr(context.get("request"), "_request", None)
    logger.error("request_failed", exc_info=error, path=getattr(request, "path", ""))
    got_request_exception.send(sender=None, request=request)
    return INTERNAL
