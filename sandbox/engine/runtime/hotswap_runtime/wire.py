"""The inner end of the wire: fd 3, four bytes of length, JSON."""

from __future__ import annotations

import os
from json import decoder, encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

WIRE_FD = 3
CHUNK_BYTES = 65536  # more would make malloc map and unmap pages for every read


def refuse(value: object) -> NoReturn:
    """What the encoder calls for anything that JSON has no word for."""
    raise TypeError(f"{type(value).__name__} is not JSON")


def make_encoder() -> Callable[[object], str]:
    """A function from a value to JSON text; NaN and Infinity raise ValueError.

    It makes the C encoder once, where ``JSONEncoder.encode`` makes one for every value.
    """
    c_encoder: Any = getattr(encoder, "c_make_encoder", None)
    if c_encoder is None:
        slow = encoder.JSONEncoder(ensure_ascii=False, allow_nan=False, default=refuse)
        return slow.encode
    escape: Any = getattr(encoder, "encode_basestring")  # noqa: B009 - not in the stubs
    encode = c_encoder(None, refuse, escape, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


encode_json = make_encoder()
scan_json: Callable[[str, int], tuple[Any, int]] = decoder.JSONDecoder().scan_once  # type: ignore[attr-defined]


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
