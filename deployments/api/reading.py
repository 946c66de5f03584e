"""What every view here reads of a request."""

from typing import Any

from rest_framework.request import Request

from hotswap.lib.api.serializers import StrictSerializer
from hotswap.lib.errors import InvalidInputError
from plugins.models import Environment

SHORTEST_WINDOW_SECONDS = 10
LONGEST_WINDOW_SECONDS = 3600
DEFAULT_WINDOW_SECONDS = 300


def read_body(serializer_class: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def read_environment(request: Request, default: Environment | None = None) -> Environment:
    """``?environment=``, else the default; without one it must be given."""
    name = request.query_params.get("environment")
    if name is None and default is not None:
        return default
    found = Environment.objects.filter(name=name or "").first()
    if found is None:
        known = ", ".join(Environment.objects.values_list("name", flat=True))
        reason = f"name one of {known}"
        raise InvalidInputError(f"environment: {reason}.", fields={"environment": [reason]})
    return found


def read_window(request: Request) -> int:
    """``?window=`` in seconds."""
    text = request.query_params.get("window", str(DEFAULT_WINDOW_SECONDS))
    lowest, highest = SHORTEST_WINDOW_SECONDS, LONGEST_WINDOW_SECONDS
    if not (text.isascii() and text.isdigit() and lowest <= int(text[:9]) <= highest):
        reason = f"give whole seconds from {lowest} to {highest}"
        raise InvalidInputError(f"window: {reason}.", fields={"window": [reason]})
    return int(text)


def read_position(request: Request) -> int:
    """``Last-Event-ID`` or ``?after=``: the number of the last event that the caller has seen."""
    text = request.headers.get("Last-Event-ID") or request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        reason = "give the number of an event"
        raise InvalidInputError(f"after: {reason}.", fields={"after": [reason]})
    return int(text)
