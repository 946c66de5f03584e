"""HTTP on one connection: what comes in pieces, at once, too large, too slow or not at all."""

import asyncio
import re
from types import SimpleNamespace

import pytest

from deployments.instance.answers import Answer
from deployments.instance.exchange import (
    KEEP_ALIVE_SECONDS,
    MAX_BODY_BYTES,
    MAX_PIPELINED,
    READ_SECONDS,
    Exchange,
)

POST = b"POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"
GET = b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n"


class Transport:
    """Keeps what was written, as a client would read it."""

    def __init__(self):
        self.written, self.writes, self.is_closed, self.is_paused = b"", 0, False, False

    def write(self, data):
        self.written += data
        self.writes += 1

    def close(self):
        self.is_closed = True

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False

    def can_write_eof(self):
        return False

    def statuses(self):
        return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.written)]


class Application:
    """Answers with what it was asked; ``gate`` holds answers back."""

    def __init__(self):
        self.requests, self.gate, self.is_closing = [], None, False

    def start(self, request, respond):
        self.requests.append(request)
        return self._answer(request)

    async def _answer(self, request):
        if self.gate:
            await self.gate.wait()
        return Answer(
            200, b"<" + request.body + b">", [b"x-path: " + request.path.encode() + b"\r\n"]
        )


def scenario(test):
    """Run an async test with an exchange, its application and its transport."""

    def run():
        async def inner():
            application, transport = Application(), Transport()
            state = SimpleNamespace(connections=set(), tasks=set())
            exchange = Exchange(SimpleNamespace(app=application), state, {})
            exchange.connection_made(transport)
            await test(exchange, application, transport)
            exchange.connection_lost(None)
            assert state.connections == set()

        asyncio.run(inner())

    run.__name__ = test.__name__
    return run


async def turn():
    for _ in range(5):
        await asyncio.sleep(0)


@scenario
async def test_an_answer_is_one_write(exchange, application, transport):
    exchange.data_received(POST)
    await turn()
    assert transport.writes == 1
    assert transport.written == (
        b"HTTP/1.1 200 OK\r\nx-path: /a b\r\ncontent-length: 6\r\n\r\n<body>"
    )
    (request,) = application.requests
    assert (request.method, request.query, request.body) == ("POST", b"x=1", b"body")
    assert not transport.is_closed


@scenario
async def test_a_request_may_come_byte_by_byte(exchange, application, transport):
    for index in range(len(POST)):
        exchange.data_received(POST[index : index + 1])
    await turn()
    assert transport.statuses() == [200]
    assert application.requests[0].body == b"body"


@scenario
async def test_requests_sent_at_once_are_answered_in_their_order(exchange, application, transport):
    application.gate = asyncio.Event()
    exchange.data_received(POST + GET + POST.replace(b"body", b"last"))
    await turn()
    assert len(application.requests) == 1
    application.gate.set()
    for _ in range(4):
        await turn()
    assert transport.statuses() == [200, 200, 200]
    assert transport.written.index(b"<body>") < transport.written.index(b"<>")
    assert transport.written.endswith(b"<last>")


@scenario
async def test_a_flood_on_one_connection_is_not_read(exchange, application, transport):
    application.gate = asyncio.Event()
    exchange.data_received(GET * (MAX_PIPELINED + 1))
    assert transport.is_paused
    application.gate.set()
    for _ in range(MAX_PIPELINED + 2):
        await turn()
    assert not transport.is_paused
    assert len(transport.statuses()) == MAX_PIPELINED + 1


@scenario
async def test_who_does_not_read_gets_no_more_answers(exchange, application, transport):
    exchange.pause_writing()
    exchange.data_received(GET)
    await turn()
    assert application.requests == []
    exchange.resume_writing()
    await turn()
    assert transport.statuses() == [200]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 600_000, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n" + b"x" * 0x500000, 413),
    ],
)
def test_what_cannot_be_read_is_refused_once(data, status):
    @scenario
    async def run(exchange, application, transport):
        for start in range(0, len(data), 100_000):
            exchange.data_received(data[start : start + 100_000])
        exchange.data_received(GET)
        await turn()
        assert transport.statuses() == [status]
        assert b"connection: close" in transport.written
        assert application.requests == []

    run()


@scenario
async def test_no_other_protocol_is_spoken(exchange, _, transport):
    exchange.data_received(GET.replace(b"Host", b"Connection: upgrade\r\nUpgrade: h2c\r\nHost"))
    exchange.data_received(GET)
    await turn()
    assert transport.statuses() == [200]
    assert transport.is_closed


@scenario
async def test_a_body_in_chunks_is_put_together(exchange, application, transport):
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    exchange.data_received(head + b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")
    await turn()
    assert application.requests[0].body == b"body"


@scenario
async def test_a_client_that_waits_to_be_asked_is_asked(exchange, _, transport):
    exchange.data_received(
        b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    )
    assert transport.statuses() == [100]
    exchange.data_received(b"x")
    await turn()
    assert transport.statuses() == [100, 200]


@scenario
async def test_a_connection_ends_when_either_side_wants_it(exchange, application, transport):
    exchange.data_received(GET.replace(b"Host", b"Connection: close\r\nHost"))
    await turn()
    assert transport.is_closed
    assert b"connection: close" in transport.written


@scenario
async def test_a_closing_application_says_so(exchange, application, transport):
    application.is_closing = True
    exchange.data_received(GET)
    await turn()
    assert transport.is_closed
    assert b"connection: close" in transport.written


@scenario
async def test_a_stop_waits_for_the_answer(exchange, application, transport):
    application.gate = asyncio.Event()
    exchange.data_received(GET)
    await turn()
    exchange.shutdown()
    assert not transport.is_closed
    application.gate.set()
    await turn()
    assert transport.statuses() == [200]
    assert transport.is_closed


@scenario
async def test_a_stop_ends_an_idle_connection_at_once(exchange, _, transport):
    exchange.shutdown()
    assert transport.is_closed


@scenario
async def test_a_client_that_left_gets_no_answer(exchange, application, transport):
    application.gate = asyncio.Event()
    exchange.data_received(GET)
    await turn()
    exchange.connection_lost(None)
    application.gate.set()
    await turn()
    assert transport.written == b""


@scenario
async def test_an_idle_connection_is_ended_after_its_time(exchange, _, transport):
    now = exchange._idle_since
    exchange.check(now + KEEP_ALIVE_SECONDS - 1)
    assert not transport.is_closed
    exchange.check(now + KEEP_ALIVE_SECONDS + 1)
    assert transport.is_closed


@scenario
async def test_a_request_that_trickles_in_is_given_up(exchange, _, transport):
    exchange.data_received(POST[:-1])
    exchange.check(exchange._began_at + READ_SECONDS - 1)
    assert transport.written == b""
    exchange.check(exchange._began_at + READ_SECONDS + 1)
    assert transport.statuses() == [408]


@scenario
async def test_a_head_has_no_body(exchange, _, transport):
    exchange.data_received(GET.replace(b"GET", b"HEAD"))
    await turn()
    assert transport.written.endswith(b"content-length: 2\r\n\r\n")
