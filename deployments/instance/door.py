"""The two doors of an instance: callers outside, the other processes inside."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import orjson
import structlog

from deployments.instance.answers import JSON, Answer, answer_internal_error, answer_refusal
from deployments.instance.calls import Calls
from deployments.instance.exchange import HttpRequest, Later, Respond
from deployments.instance.refusals import Refusal, RefusedError, header, refuse
from deployments.instance.requests import Request, read_headers, split_path

logger = structlog.get_logger(__name__)

Page = Callable[[], Awaitable[Answer]]
NOT_STARTED = header(b"x-hotswap-started", b"0")


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

    def start(self, request: HttpRequest, respond: Respond) -> Later | None:
        """One request; whatever happens, there is an answer."""
        if self._is_inside:
            respond = partial(_respond_inside, respond)
        try:
            if request.method == "POST":
                call = self._read(request)
                return None if self._calls.begin(call, respond) else self._answer(call)
        except RefusedError as error:
            respond(answer_refusal(error.refusal, ""))
            return None
        except Exception:
            logger.exception("call_broke", path=request.path)
            respond(answer_internal_error())
            return None
        return self._page(request)

    def _read(self, http: HttpRequest) -> Request:
        request = read_headers(http, is_inside=self._is_inside)
        if http.query:
            self._check_query(http.query)
        return request

    async def _answer(self, request: Request) -> Answer:
        try:
            answer = await self._calls.answer(request)
        except Exception:
            logger.exception("call_broke", path=request.path)
            answer = answer_internal_error()
        return _mark(answer) if self._is_inside else answer

    def _check_query(self, query: bytes) -> None:
        """web leaves ``?environment=`` in the address; calls of another one are refused."""
        if query != b"environment=" + self._environment.encode():
            message = f"This instance serves the environment {self._environment} only."
            fields = {"environment": [f"must be {self._environment}, and nothing else be given"]}
            raise RefusedError(Refusal(400, "invalid", message, fields))

    async def _page(self, request: HttpRequest) -> Answer:
        try:
            return await self._read_page(request)
        except RefusedError as error:
            return answer_refusal(error.refusal, "")
        except Exception:
            logger.exception("page_broke", path=request.path)
            return answer_internal_error()

    async def _read_page(self, request: HttpRequest) -> Answer:
        page = self._pages.get(request.path)
        if page is not None and request.method in ("GET", "HEAD"):
            return await page()
        if page is not None or split_path(request.path) is not None:
            raise refuse(405, "method_not_allowed", f"{request.method} is not possible here.")
        raise refuse(404, "not_found", "There is nothing here by that name.")


def _respond_inside(respond: Respond, answer: Answer) -> None:
    respond(_mark(answer))


def _mark(answer: Answer) -> Answer:
    """Whoever passed the call on may try another instance when no process had it."""
    if not answer.started:
        answer.headers.append(NOT_STARTED)
    return answer


def answer_json(status: int, data: object) -> Answer:
    return Answer(status, orjson.dumps(data), [JSON], started=True)


def answer_text(text: bytes) -> Answer:
    kind = header(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
    return Answer(200, text, [kind], started=True)
