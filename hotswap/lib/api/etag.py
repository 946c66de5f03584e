"""``ETag`` from a row's revision, and ``If-Match`` back to the revision that the caller saw."""

import re

from rest_framework.request import Request
from rest_framework.response import Response

_TAG = re.compile(r'(?:W/)?"(\d{1,10})"', re.ASCII)
NO_REVISION = -1


def etag_of(revision: int) -> str:
    return f'"{revision}"'


def with_etag(response: Response, revision: int) -> Response:
    response["ETag"] = etag_of(revision)
    return response


def wanted_revision(request: Request) -> int | None:
    """The revision of ``If-Match``; None without it or for ``*``. A foreign tag matches none."""
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    match = _TAG.fullmatch(text)
    return int(match.group(1)) if match else NO_REVISION
