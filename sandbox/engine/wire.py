"""The host's end of the wire: four bytes of big-endian length, then JSON.

Whatever comes out of a jail is hostile. The length is checked before the body is kept, orjson
refuses NaN, Infinity, invalid UTF-8, lone surrogates and more than 1024 levels, and an answer names
its call's nonce.
"""

from binascii import hexlify
from os import urandom
from struct import Struct
from typing import Any

import orjson

from sandbox.engine.spec import Attachment, Call

HEADER = Struct(">I")
ENVELOPE_BYTES = 64 << 10  # nonce, message, metrics: what a frame may have beside its result
NONCE_START = b'{"nonce":"'
NONCE_BYTES = 32
RESULT_START = b'","result":'
NONCE_END = len(NONCE_START) + NONCE_BYTES
RESULT_AT = NONCE_END + len(RESULT_START)


class WireError(ValueError):
    """The other side did not keep to the protocol."""


def new_nonce() -> bytes:
    """128 random bits, so that no process can answer for a call that it was not given."""
    return hexlify(urandom(16))


def encode_frame(body: bytes) -> bytes:
    """The body with its length in front."""
    return HEADER.pack(len(body)) + body


def call_frame(nonce: bytes, call: Call, deadline: float) -> bytes:
    """The frame of an invocation.

    The parameters are spliced in: they were validated as JSON already.
    """
    head = orjson.dumps((call.method, call.call_id, deadline, call.traceparent))
    body = b'{"nonce":"%b","call":%b,"parameters":%b}' % (nonce, head, call.parameters)
    return HEADER.pack(len(body)) + body


def control_frame(nonce: bytes, do: str, fields: dict[str, Any]) -> bytes:
    """The frame of anything that is not a call."""
    return encode_frame(orjson.dumps({"nonce": nonce.decode(), "do": do, **fields}))


def attachment_fields(attachment: Attachment) -> dict[str, Any]:
    """What a process is told about its tenant."""
    return {
        "tenant_id": attachment.tenant_id,
        "installation_id": attachment.installation_id,
        "config": orjson.Fragment(attachment.config),
        "secrets": dict(attachment.secrets),
        "epoch": attachment.epoch,
    }


def result_of(frame: bytes) -> tuple[bytes, bytes] | None:
    """Nonce and result of a frame with the fixed shape of a good answer; None for any other.

    The result is validated by itself, so nothing can be smuggled in behind it.
    """
    if frame[NONCE_END:RESULT_AT] != RESULT_START or not frame.startswith(NONCE_START):
        return None
    result = frame[RESULT_AT:-1]
    if frame[-1:] != b"}":
        raise WireError("an answer that does not end")
    try:
        orjson.loads(result)
    except orjson.JSONDecodeError as error:
        raise WireError(f"an answer whose result is not JSON: {error}") from None
    return frame[len(NONCE_START) : NONCE_END], result


def decode_message(frame: bytes) -> dict[str, Any]:
    """Any other frame: a JSON object."""
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise WireError(f"a frame that is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError("a frame that is not an object")
    return message


class FrameReader:
    """Cuts a stream into frames. Never keeps more than one frame of ``limit`` bytes."""

    __slots__ = ("_buffer", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now; WireError for a length over the limit."""
        buffer = self._buffer + data if self._buffer else data
        frames = []
        start, size = 0, len(buffer)
        while size - start >= 4:
            length = HEADER.unpack_from(buffer, start)[0]
            if length > self.limit:
                raise WireError(f"a frame of {length} bytes where {self.limit} are allowed")
            end = start + 4 + length
            if size < end:
                break
            frames.append(buffer[start + 4 : end])
            start = end
        self._buffer = buffer[start:]
        return frames
