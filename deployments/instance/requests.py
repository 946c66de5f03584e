"""A call as it came in, read strictly: what is unknown is an error, never ignored."""

import os
import re
from dataclasses import dataclass

import orjson

from deployments.instance.exchange import HttpRequest
from deployments.instance.refusals import refuse, refuse_input

PREFIX = "/api/v1/tenants/"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_KEYS = frozenset({"method", "parameters"})


@dataclass(slots=True)
class Request:
    """``received`` is on ``time.monotonic()``. ``passed`` is the header of a peer, inside only.

    ``generation`` is that of the rows by which it was routed.
    """

    path: str
    authorization: bytes
    request_id: str
    trace_id: str
    traceparent: str
    received: float
    passed: bytes | None = None
    body: bytes = b""
    generation: int = 0


@dataclass(slots=True)
class Invocation:
    method: str
    parameters: dict[str, object]


def split_path(path: str) -> tuple[str, str] | None:
    """Tenant slug and plugin name of ``/api/v1/tenants/{slug}/plugins/{name}/invoke``."""
    parts = path.split("/")
    if len(parts) != 8 or parts[5] != "plugins" or parts[7] != "invoke":
        return None
    return (parts[4], parts[6]) if path.startswith(PREFIX) else None


def read_headers(http: HttpRequest, *, is_inside: bool) -> Request:
    """What the headers say, with the body as it came. Raises 415."""
    given = http.headers
    content_type = given.get(b"content-type", b"")
    if content_type != b"application/json":
        _check_content_type(content_type)
    ids = _ids(given.get(b"x-request-id", b""), given.get(b"traceparent", b""))
    passed = given.get(b"x-hotswap-passed") if is_inside else None
    authorization = given.get(b"authorization", b"")
    return Request(http.path, authorization, *ids, http.received, passed, http.body)


def read_body(body: bytes) -> Invocation:
    """The call in the body, or a 400 that names each field."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refuse(400, "malformed_body", f"The body is not JSON: {error}.") from error
    if not isinstance(data, dict):
        message = "The body must be a JSON object with 'method' and 'parameters'."
        raise refuse(400, "malformed_body", message)
    if len(data) == 2 and type(data.get("method")) is str and type(data.get("parameters")) is dict:
        return Invocation(data["method"], data["parameters"])
    return _read_carefully(data)


def _read_carefully(data: dict[str, object]) -> Invocation:
    fields: dict[str, list[str]] = {
        str(name)[:60]: ["is not a known field"] for name in data if name not in _KEYS
    }
    method, parameters = data.get("method"), data.get("parameters", {})
    if not isinstance(method, str):
        fields["method"] = ["must be the name of a method"]
    if not isinstance(parameters, dict):
        fields["parameters"] = ["must be an object"]
    if fields:
        name, problems = next(iter(fields.items()))
        raise refuse_input(f"{name}: {problems[0]}", fields)
    return Invocation(str(method), dict(parameters) if isinstance(parameters, dict) else {})


def _check_content_type(value: bytes) -> None:
    kind = value.partition(b";")[0].strip().lower()
    if kind != b"application/json":
        message = "Send the call as JSON, with 'Content-Type: application/json'."
        raise refuse(415, "unsupported_media_type", message)


def _ids(given: bytes, traceparent: bytes) -> tuple[str, str, str]:
    """Request id, trace id and the traceparent that the plugin gets.

    Without a trace the request's id takes its place, as everywhere in HotSwap.
    """
    is_given = given and _REQUEST_ID.fullmatch(given)
    request_id = given.decode() if is_given else os.urandom(16).hex()
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found:
        return request_id, found[1].decode(), traceparent.decode()
    return request_id, request_id, ""
