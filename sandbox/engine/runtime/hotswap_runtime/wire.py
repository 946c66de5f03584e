"""The inner end of the wire: fd 3, four bytes of length, JSON."""

import os
from json.decoder import JSONDecoder
from json.encoder import JSONEncoder, c_make_encoder, encode_basestring

WIRE_FD = 3
CHUNK_BYTES = 65536  # more would make malloc map and unmap pages for every read


def refuse(value):
    """What the encoder calls for anything that JSON has no word for."""
    raise TypeError("%s is not JSON" % type(value).__name__)


def make_encoder():
    """A function from a value to JSON text that keeps no state between values; NaN and Infinity raise ValueError."""
    if c_make_encoder is None:
        encoder = JSONEncoder(ensure_ascii=False, allow_nan=False, default=refuse)
        return encoder.encode
    encode = c_make_encoder(None, refuse, encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


encode_json = make_encoder()
scan_json = JSONDecoder().scan_once


def take_wire():
    """Move the socket from fd 0, where the host could put it, to fd 3, and leave /dev/null behind."""
    os.dup2(0, WIRE_FD, inheritable=False)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.closerange(WIRE_FD + 1, 4096)


class Wire:
    """Frames in, frames out. Only the main thread reads; ``send`` is one write, so threads lock around it."""

    def __init__(self):
        self._buffer = b""

    def receive(self):
        """The next message; EOFError when the host is gone."""
        buffer = self._buffer
        while len(buffer) < 4 or len(buffer) < (end := 4 + int.from_bytes(buffer[:4], "big")):
            data = os.read(WIRE_FD, CHUNK_BYTES)
            if not data:
                raise EOFError
            buffer = buffer + data if buffer else data
        self._buffer = buffer[end:]
        return scan_json(buffer[4:end].decode(), 0)[0]

    def send(self, *bodies):
        """Write the frames in one go."""
        data = b"".join([len(body).to_bytes(4, "big") + body for body in bodies])
        while data:
            data = data[os.write(WIRE_FD, data) :]
