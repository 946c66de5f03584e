"""The way out of the jail: the host's socket, on which each question gets one answer.

A question is a JSON object. An answer is one line of JSON, then the bytes that were asked for.
Frames have four bytes of big-endian length in front, as everywhere on the engine's wire.
"""

import json
import socket
from dataclasses import dataclass

WIRE_FD = 3
HEADER_BYTES = 4


@dataclass(frozen=True)
class Page:
    """A page of the index as it came, with the address that its links are relative to."""

    content_type: str
    url: str
    body: bytes


class Channel:
    """Whatever the host refuses ends this process, so an answer is either data or 'missing'."""

    def __init__(self, wire: socket.socket | None = None) -> None:
        self._wire = wire or socket.socket(fileno=WIRE_FD)

    def project(self, name: str) -> Page | None:
        """The index's page of a project; None when it has none."""
        head, body = self._ask({"ask": "project", "name": name})
        return Page(head["type"], head["url"], body) if head["found"] else None

    def metadata(self, url: str, sha256: str) -> bytes | None:
        """The METADATA that the index keeps beside a wheel; None when it is not there after all."""
        head, body = self._ask({"ask": "metadata", "url": url, "sha256": sha256})
        return body if head["found"] else None

    def wheel(self, url: str, sha256: str) -> bytes:
        """A whole wheel, of which the host has checked the digest."""
        return self._ask({"ask": "wheel", "url": url, "sha256": sha256})[1]

    def _ask(self, question: dict[str, str]) -> tuple[dict[str, str], bytes]:
        body = json.dumps(question).encode()
        self._wire.sendall(len(body).to_bytes(HEADER_BYTES, "big") + body)
        size = int.from_bytes(self._receive(HEADER_BYTES), "big")
        head, _, content = self._receive(size).partition(b"\n")
        return json.loads(head), content

    def _receive(self, count: int) -> bytes:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            received = self._wire.recv_into(view)
            if not received:
                raise EOFError("the host is gone")
            view = view[received:]
        return bytes(data)
