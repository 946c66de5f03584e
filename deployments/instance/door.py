"""The two doors of an instance, raw ASGI applications: callers outside, processes inside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog

from deployments.instance.answers import JSON, Answer, answer_refusal
from deployments.instance.calls import Calls
from deployments.instance.refusals import Refusal, RefusedError, refuse
from deployments.instance.requests import (
    MAX_BODY_BYTES,
    read_headers,
    split_path,
    too_large,
)

logger = structlog.get_logger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Page = Callable[[], Awaitable[Answer]]
INTERNAL = Refusal(500, "internal_error", "Something went wrong here; the trace id names it.")
CLOSE = (b"connection", b"close")


class Door:
    """``pages`` are answered by GET beside invoke; ``is_inside`` lets peers' headers in."""

    def __init__(
        self, calls: Calls, environment: str, pages: Mapping[str, Page], *, is_inside: bool
    ) -> None:
        self._calls = calls
        self._environment = environment
        self._pages = pages
        self._is_inside = is_inside
        self.is_closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Lifespan and websockets are not offered."""
        if scope["type"] != "http":
            return
        received = time.monotonic()
        answer = await self._answer(scope, receive, received)
        headers = answer.headers
        headers.append((b"content-length", str(len(answer.body)).encode()))
        if self._is_inside and not answer.started:
            # Whoever passed the call on may try another instance.
            headers.append((b"x-hotswap-started", b"0"))
        if self.is_closing:
            headers.append(CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive, received: float) -> Answer:
        try:
            if scope["method"] == "POST":
                return await self._invoke(scope, receive, received)
            return await self._page(scope)
        except RefusedError as error:
            answer = answer_refusal(error.refusal, "")
            if error.refusal.status == 413:
                # The rest of the body is not read: the connection cannot be used again.
                answer.headers.append(CLOSE)
            return answer
        except Exception:
            logger.exception("call_broke", path=scope["path"])
            return answer_refusal(INTERNAL, "")

    async def _invoke(self, scope: Scope, receive: Receive, received: float) -> Answer:
        path: str = scope["path"]
        request = read_headers(path, scope["headers"], received, is_inside=self._is_inside)
        if scope["query_string"]:
            self._check_query(scope["query_string"])
        message = await receive()
        body: bytes = message.get("body", b"")
        request.body = await _read_rest(body, receive) if message.get("more_body") else body
        return await self._calls.answer(request)

    def _check_query(self, query: bytes) -> None:
        """web leaves ``?environment=`` in the address; calls of another one are refused."""
        if query != b"environment=" + self._environment.encode():
            message = f"This instance serves the environment {self._environment} only."
            fields = {"environment": [f"must be {self._environment}, and nothing else be given"]}
            raise RefusedError(Refusal(400, "invalid", message, fields))

    async def _page(self, scope: Scope) -> Answer:
        page = self._pages.get(scope["path"])
        if page is not None and scope["method"] in ("GET", "HEAD"):
            return await page()
        if page is not None or split_path(scope["path"]) is not None:
            raise refuse(405, "method_not_allowed", f"{scope['method']} is not possible here.")
        raise refuse(404, "not_found", "There is nothing here by that name.")


async def _read_rest(body: bytes, receive: Receive) -> bytes:
    """A body in pieces, given up as soon as it is too large."""
    parts, size, more = [body], len(body), True
    while more:
        if size > MAX_BODY_BYTES:
            raise too_large()
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    if size > MAX_BODY_BYTES:
        raise too_large()
    return b"".join(parts)


def answer_json(status: int, data: object) -> Answer:
    return Answer(status, orjson.dumps(data), [JSON], started=True)


def answer_text(text: bytes) -> Answer:
    return Answer(200, text, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], True)
