"""HTTP/1.1 on one connection, for doors: whole requests in, one write out for each answer.

It takes the place of uvicorn's own protocol class, which makes an ASGI scope, an event, a timer and
two writes for every request: that cost more than all the rest of a call outside the plugin.
Parsing is httptools' (llhttp). Bounds hold before anything is kept: 64 KiB of head, 4 MiB of body.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

import httptools

from deployments.instance.answers import Answer, answer_refusal
from deployments.instance.refusals import Refusal

MAX_HEAD_BYTES = 64 << 10
MAX_BODY_BYTES = 4 << 20
# The parser keeps what belongs to a head that is not complete yet.
MAX_UNPARSED_BYTES = 512 << 10
MAX_PIPELINED = 16
# Longer than the other processes keep an idle connection in their pools.
KEEP_ALIVE_SECONDS = 75.0
READ_SECONDS = 30.0
LINGER_SECONDS = 2.0
STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BAD = Refusal(400, "invalid", "This is not an HTTP/1.1 request that can be read.")
LARGE_HEAD = Refusal(431, "too_large", f"The head is larger than {MAX_HEAD_BYTES >> 10} KiB.")
LARGE_BODY = Refusal(413, "too_large", f"The body is larger than {MAX_BODY_BYTES >> 20} MiB.")
SLOW = Refusal(408, "timeout", f"The request did not arrive within {READ_SECONDS:g} s.")


Respond = Callable[[Answer], None]
Later = Coroutine[Any, Any, Answer]


class Application(Protocol):
    """Who answers; it must not raise."""

    is_closing: bool

    def start(self, request: "HttpRequest", respond: Respond) -> Later | None:
        """None: ``respond`` was called or will be, without a task; else what to await."""


class HttpRequest:
    """One whole request. Header names are in lower case, ``received`` is of the monotonic clock."""

    __slots__ = ("body", "headers", "keep_alive", "method", "path", "query", "received")

    def __init__(self, method: str, url: bytes, headers: dict[bytes, bytes], keep: bool) -> None:
        raw, _, self.query = url.partition(b"?")
        path = raw.decode("ascii")
        self.path = unquote(path) if "%" in path else path
        self.method = method
        self.headers = headers
        self.keep_alive = keep
        self.received = time.monotonic()
        self.body = b""


class Exchange(asyncio.Protocol):
    """One connection. Requests on it are answered one after the other, in their order."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._application: Application = config.app
        self._connections: set[Exchange] = server_state.connections
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._loop: asyncio.AbstractEventLoop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[HttpRequest] = deque()
        self._is_busy = False
        self._is_full = False
        self._is_deaf = False
        self._is_ending = False
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._request: HttpRequest | None = None
        self._head_bytes = 0
        self._began_at: float | None = None
        self._idle_since = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self._request is None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_UNPARSED_BYTES:
                self._break_off(LARGE_HEAD)
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as it is, and nothing after.
            self._is_ending = self._is_deaf = True
        except httptools.HttpParserError:
            self._break_off(BAD)

    # What the parser tells.

    def on_message_begin(self) -> None:
        self._url, self._headers, self._parts, self._size = b"", {}, [], 0
        self._request = None
        self._began_at = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > MAX_HEAD_BYTES:
            self._break_off(LARGE_HEAD)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value)
        if self._size > MAX_HEAD_BYTES:
            self._break_off(LARGE_HEAD)
            return
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._is_deaf:
            return
        headers = self._headers
        if int(headers.get(b"content-length", 0)) > MAX_BODY_BYTES:
            self._break_off(LARGE_BODY)
            return
        if b"expect" in headers and self._transport is not None:
            self._transport.write(CONTINUE)
        method = self._parser.get_method().decode("ascii")
        self._request = HttpRequest(method, self._url, headers, self._parser.should_keep_alive())
        self._size = self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            self._break_off(LARGE_BODY)
            return
        self._parts.append(body)

    def on_message_complete(self) -> None:
        request, self._request, self._began_at = self._request, None, None
        if request is None or self._is_deaf:
            return
        parts = self._parts
        request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._is_busy or self._is_full:
            self._wait(request)
        else:
            self._start(request)

    # One request after the other.

    def _wait(self, request: HttpRequest) -> None:
        self._waiting.append(request)
        if len(self._waiting) >= MAX_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    def _start(self, request: HttpRequest) -> None:
        self._is_busy = True
        later = self._application.start(request, partial(self._respond, request))
        if later is not None:
            task = self._loop.create_task(self._respond_later(request, later))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _respond_later(self, request: HttpRequest, later: Later) -> None:
        self._respond(request, await later)

    def _respond(self, request: HttpRequest, answer: Answer) -> None:
        self._is_busy = False
        self._idle_since = time.monotonic()
        if self._transport is None:
            return
        ends = self._is_ending or not request.keep_alive or self._application.is_closing
        self._transport.write(encode(answer, ends=ends, has_body=request.method != "HEAD"))
        if ends:
            self._is_deaf = True
            self._transport.close()
        elif self._waiting and not self._is_full:
            # Not at once: whoever answered is not done yet.
            self._is_busy = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        """The request that waited longest; gone with the connection."""
        self._is_busy = False
        if self._transport is None or not self._waiting:
            return
        request = self._waiting.popleft()
        if not self._waiting:
            self._transport.resume_reading()
        self._start(request)

    def pause_writing(self) -> None:
        """The other side does not read its answers: no more of them for now."""
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._waiting and not self._is_busy:
            self._next()

    # Ends.

    def _break_off(self, refusal: Refusal) -> None:
        """Say why, then read on for a moment: closing at once would take the answer away again."""
        if self._is_deaf or self._transport is None:
            return
        self._is_deaf = True
        self._waiting.clear()
        if self._is_busy:
            self._transport.close()
            return
        self._transport.write(encode(answer_refusal(refusal, ""), ends=True))
        self._loop.call_later(LINGER_SECONDS, self._transport.close)
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def shutdown(self) -> None:
        """Asked by uvicorn when the server stops."""
        self._is_ending = True
        if not self._is_busy and self._transport is not None:
            self._transport.close()

    def check(self, now: float) -> None:
        """Asked every few seconds: end what is idle or too slow."""
        if self._is_busy or self._is_deaf or self._transport is None:
            return
        if self._began_at is not None and now - self._began_at > READ_SECONDS:
            self._break_off(SLOW)
        elif self._began_at is None and now - self._idle_since > KEEP_ALIVE_SECONDS:
            self._transport.close()


def encode(answer: Answer, *, ends: bool, has_body: bool = True) -> bytes:
    """The whole answer in one piece."""
    parts = [STATUS_LINES[answer.status]]
    parts += answer.headers
    parts.append(b"content-length: %d\r\n" % len(answer.body))
    parts.append(b"connection: close\r\n\r\n" if ends else b"\r\n")
    if has_body:
        parts.append(answer.body)
    return b"".join(parts)
