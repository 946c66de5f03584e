"""The inner end of the wire: fd 3, four bytes of length, JSON."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Scan = Callable[[str, int], tuple[Any, int]]

WIRE_FD = 3
CHUNK_BYTES = 65536  # more would make malloc map and unmap pages for every read


def refuse(value: object) -> NoReturn:
    """What the encoder calls for anything that JSON has no word for."""
    raise TypeError(f"{type(value).__name__} is not JSON")


def fast_json() -> tuple[Callable[[object], str], Scan]:
    """The C halves of the json module without the module.

    It would import ``re``, which costs a fifth of an idle process and of its start.
    """
    # Not every interpreter has it: the caller falls back.
    from _json import encode_basestring, make_encoder, make_scanner

    options: Any = ScannerOptions
    scan: Scan = make_scanner(options)
    encode = make_encoder(None, refuse, encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0)), scan


def plain_json() -> tuple[Callable[[object], str], Scan]:
    """The module itself, for an interpreter without those halves."""
    # Only here, so that a process that does without it never pays for it.
    import json

    slow = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=refuse)
    return slow.encode, lambda text, _at: (json.loads(text), len(text))


class ScannerOptions:
    """What the C scanner asks of a JSONDecoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


try:
    encode_json, scan_json = fast_json()
except ImportError:
    encode_json, scan_json = plain_json()


def take_wire() -> None:
    """Move the socket from fd 0, where the host could put it, to fd 3; nothing else stays open."""
    os.dup2(0, WIRE_FD, inheritable=False)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.closerange(WIRE_FD + 1, 4096)


class Wire:
    """Frames in, frames out. Only the main thread reads; threads lock around ``send``."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self) -> dict[str, Any]:
        """The next message; EOFError when the host is gone."""
        buffer = self._buffer
        while len(buffer) < 4 or len(buffer) < (end := 4 + int.from_bytes(buffer[:4], "big")):
            data = os.read(WIRE_FD, CHUNK_BYTES)
            if not data:
                raise EOFError
            buffer = buffer + data if buffer else data
        self._buffer = buffer[end:]
        message: dict[str, Any] = scan_json(buffer[4:end].decode(), 0)[0]
        return message

    def send(self, *bodies: bytes) -> None:
        """Write the frames in one go."""
        data = b"".join([len(body).to_bytes(4, "big") + body for body in bodies])
        while data:
            data = data[os.write(WIRE_FD, data) :]
