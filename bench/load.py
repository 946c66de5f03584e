"""A load of plugin calls from a process of its own, so that its CPU never counts as the server's.

``Load(plan)`` starts it; ``stop()`` ends it and returns every call. The child is this same module,
``python -m bench.load PLAN.json RECORDS.jsonl``. It ends at SIGTERM, after ``seconds`` or
``calls``, and with its parent. Targets are loopback addresses only.
"""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httptools

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Caller:
    """Who calls what: one tenant's key, and the body with ``{call}`` for the call's number."""

    tenant: str
    plugin: str
    key: str
    body: str


@dataclass(frozen=True)
class Plan:
    """``rate`` in calls a second over all clients; 0 sends as fast as answers come.

    With ``keep_answers`` a record has the body of a good answer.
    """

    targets: tuple[str, ...]
    callers: tuple[Caller, ...]
    clients: int = 8
    rate: float = 300
    seconds: float = 60
    calls: int = 0
    keep_answers: bool = False


@dataclass(frozen=True)
class Record:
    """One call as its client saw it. ``status`` 0: the connection broke. Times in epoch seconds."""

    call: str
    tenant: str
    target: str
    start: float
    end: float
    status: int
    version: str
    code: str = ""
    answer: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200


class Load:
    """A running load. Stop it or leave the ``with`` block; the records are then complete."""

    def __init__(self, plan: Plan) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="hotswap-load-")
        plan_file = Path(self._directory.name) / "plan.json"
        self._records = Path(self._directory.name) / "records.jsonl"
        self._seen: list[Record] = []
        self._read = 0
        plan_file.write_text(json.dumps(asdict(plan)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load", str(plan_file), str(self._records)],
            cwd=Path(__file__).resolve().parent.parent,
        )

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def records(self) -> list[Record]:
        """What has been recorded so far; the child writes each call as it ends."""
        if self._records.exists():
            with self._records.open() as file:
                file.seek(self._read)
                complete, newline, _ = file.read().rpartition("\n")
            self._seen += [Record(*json.loads(line)) for line in complete.splitlines()]
            self._read += len(complete) + len(newline)
        return list(self._seen)

    def wait(self) -> list[Record]:
        """Wait until the plan's seconds or calls are over."""
        self._process.wait()
        records = self.records()
        self._directory.cleanup()
        return records

    def stop(self) -> list[Record]:
        """Let calls in flight finish, end the child and return every record."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self.wait()


class _Connection(asyncio.Protocol):
    """One keep-alive connection that carries one call at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[None] | None = None
        self.reset()

    def reset(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.version = ""
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-hotswap-version":
            self.version = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.answer and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError("closed"))

    async def call(self, request: bytes) -> int:
        self.reset()
        self.answer = asyncio.get_running_loop().create_future()
        if self.transport is None:
            raise ConnectionResetError("closed before the call")
        self.transport.write(request)
        await self.answer
        return int(self.parser.get_status_code())


@dataclass
class _Sender:
    plan: Plan
    out: "object"
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def run_client(self, index: int, started: float) -> None:
        """Calls at fixed times; the time a late call waited counts as its own."""
        target = self.plan.targets[index % len(self.plan.targets)]
        connection: _Connection | None = None
        interval = self.plan.clients / self.plan.rate if self.plan.rate else 0.0
        for turn in itertools.count():
            due = (
                started + (turn + index / self.plan.clients) * interval if interval else time.time()
            )
            if not await self._wait_until(due):
                break
            if connection is None or connection.transport is None:
                connection = await self._connect(target)
            await self._send_one(connection, target, due)
        if connection and connection.transport:
            connection.transport.close()

    async def _wait_until(self, due: float) -> bool:
        """Whether there is another call to make, once its time has come."""
        delay = due - time.time()
        if delay > 0:
            try:
                await asyncio.wait_for(self.stopping.wait(), delay)
            except TimeoutError:
                return True
        return not self.stopping.is_set()

    async def _connect(self, target: str) -> _Connection | None:
        address = urlsplit(target)
        if address.hostname not in LOOPBACK:
            raise SystemExit(f"{target} is not a loopback address")
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                _Connection, address.hostname, address.port or 80
            )
        except OSError:
            return None
        return protocol

    async def _send_one(self, connection: _Connection | None, target: str, due: float) -> None:
        number = next(self.numbers)
        if self.plan.calls and number >= self.plan.calls:
            self.stopping.set()
            return
        caller = self.plan.callers[number % len(self.plan.callers)]
        call = f"load-{os.getpid()}-{number}"
        status, version, code, answer = 0, "", "connection", ""
        if connection is not None:
            try:
                status = await connection.call(_request(target, caller, call, number))
                version = connection.version
                code = "" if status == 200 else _error_code(connection.body)
                answer = connection.body.decode() if self.plan.keep_answers and not code else ""
            except OSError as error:
                code = type(error).__name__
        row = [call, caller.tenant, target, due, time.time(), status, version, code, answer]
        self.out.write(json.dumps(row) + "\n")  # type: ignore[attr-defined]


def _request(target: str, caller: Caller, call: str, number: int) -> bytes:
    body = caller.body.replace("{call}", str(number)).encode()
    head = (
        f"POST /api/v1/tenants/{caller.tenant}/plugins/{caller.plugin}/invoke HTTP/1.1\r\n"
        f"Host: {urlsplit(target).netloc}\r\nAuthorization: Bearer {caller.key}\r\n"
        f"Content-Type: application/json\r\nX-Request-ID: {call}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _error_code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"


async def _send(plan: Plan, records: Path) -> None:
    with records.open("w", buffering=1) as out:
        sender = _Sender(plan, out)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, sender.stopping.set)
        loop.call_later(plan.seconds, sender.stopping.set)
        started = time.time()
        await asyncio.gather(*(sender.run_client(i, started) for i in range(plan.clients)))


def _end_with_parent() -> None:
    import ctypes  # only the child needs it

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def main() -> None:
    _end_with_parent()
    plan_file, records = map(Path, sys.argv[1:3])
    values = json.loads(plan_file.read_text())
    callers = tuple(Caller(**caller) for caller in values.pop("callers"))
    plan = Plan(**values | {"callers": callers, "targets": tuple(values["targets"])})
    asyncio.run(_send(plan, records))


if __name__ == "__main__":
    main()
