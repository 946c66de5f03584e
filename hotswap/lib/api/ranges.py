"""Single ranges of bytes, RFC 9110 section 14: what is asked for is a favour, never an error of
syntax.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BYTES = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class RangeNotSatisfiableError(Exception):
    """The range begins after the end."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def wanted_span(headers: Mapping[str, str], size: int, etag: str) -> Span | None:
    """The part to send; None for the whole, also for several ranges, other units and nonsense.

    ``If-Range`` with anything but this ``etag`` asks for the whole: the caller's part is of another
    file.
    """
    match = _BYTES.fullmatch(headers.get("Range", ""))
    if not match or headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiableError(f"It has {size} bytes: none from {first}.")
    return Span(int(first), min(int(last), size - 1) if last else size - 1)


def _suffix(length: str, size: int) -> Span | None:
    if not length:
        return None
    if not int(length) or not size:
        raise RangeNotSatisfiableError(f"It has {size} bytes: the last 0 are none.")
    return Span(max(0, size - int(length)), size - 1)
