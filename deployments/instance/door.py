"""The two doors of an instance: callers outside, the other processes inside."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog

from deployments.instance.answers import JSON, Answer, answer_refusal
from deployments.instance.calls import Calls
from deployments.instance.exchange import HttpRequest
from deployments.instance.refusals import Refusal, RefusedError, header, refuse
from deployments.instance.requests import read_headers, split_path

logger = structlog.get_logger(__name__)

Page = Callable[[], Awaitable[Answer]]
INTERNAL = Refusal(500, "internal_error", "Something went wrong here; the trace id names it.")
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

    async def answer(self, request: HttpRequest) -> Answer:
        """One request; whatever happens, there is an answer."""
        try:
            if request.method == "POST":
                answer = await self._invoke(request)
            else:
                answer = await self._page(request)
        except RefusedError as error:
            answer = answer_refusal(error.refusal, "")
        except Exception:
            logger.exception("call_broke", path=request.path)
            answer = answer_refusal(INTERNAL, "")
        if self._is_inside and not answer.started:
            # Whoever passed the call on may try another instance.
            answer.headers.append(NOT_STARTED)
        return answer

    async def _invoke(self, http: HttpRequest) -> Answer:
        request = read_headers(http, is_inside=self._is_inside)
        if http.query:
            self._check_query(http.query)
        return await self._calls.answer(request)

    def _check_query(self, query: bytes) -> None:
        """web leaves ``?environment=`` in the address; calls of another one are refused."""
        if query != b"environment=" + self._environment.encode():
            message = f"This instance serves the environment {self._environment} only."
            fields = {"environment": [f"must be {self._environment}, and nothing else be given"]}
            raise RefusedError(Refusal(400, "invalid", message, fields))

    async def _page(self, request: HttpRequest) -> Answer:
        page = self._pages.get(request.path)
        if page is not None and request.method in ("GET", "HEAD"):
            return await page()
        if page is not None or split_path(request.path) is not None:
            raise refuse(405, "method_not_allowed", f"{request.method} is not possible here.")
        raise refuse(404, "not_found", "There is nothing here by that name.")


def answer_json(status: int, data: object) -> Answer:
    return Answer(status, orjson.dumps(data), [JSON], started=True)


def answer_text(text: bytes) -> Answer:
    kind = header(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
    return Answer(200, text, [kind], started=True)
