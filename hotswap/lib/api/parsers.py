"""Request bodies, bounded before they are read."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from hotswap.lib.api.json_input import JsonInputError, read_json
from hotswap.lib.errors import TooLargeError


class StrictJSONParser(BaseParser):
    """A JSON object of at most ``settings.DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: BinaryIO,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        context = parser_context or {}
        announced = content_length(context)
        if announced > limit:
            raise too_large(limit)
        text = stream.read(limit + 1)
        if len(text) > limit:
            raise too_large(limit)
        if len(text) < announced:
            raise ParseError("The body ended before it was complete.")
        try:
            value = read_json(text)
        except JsonInputError as error:
            raise ParseError(str(error)) from error
        if not isinstance(value, dict):
            raise ParseError('The body must be a JSON object, for example {"name": "billing"}.')
        return value


class UploadParser(MultiPartParser):
    """One file of at most ``settings.UPLOAD_LIMIT_BYTES``; a longer one is refused unread.

    ``hotswap.lib.receiving`` takes the file; this says in the API's words what was wrong with it.
    """

    def parse(
        self,
        stream: BinaryIO,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> "DataAndFiles[Any, Any]":
        announced = content_length(parser_context or {})
        counted: Any = _Counted(stream)
        try:
            parsed = super().parse(counted, media_type, parser_context)
        except RequestDataTooBig as error:
            raise too_large(settings.UPLOAD_LIMIT_BYTES) from error
        # Django takes a part that breaks off for a whole one.
        if counted.bytes_read < announced:
            raise ParseError("The upload ended before it was complete; send it again.")
        return parsed


class _Counted:
    """Counts what is read, so that a body that breaks off is noticed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.bytes_read += len(data)
        return data


def content_length(context: Mapping[str, Any]) -> int:
    """The announced length of the body; 0 when there is none or it is no number."""
    request = context.get("request")
    text = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
    return int(text) if str(text).isdigit() else 0


def too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body is larger than the limit of {limit} bytes.")
