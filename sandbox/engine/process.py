"""One jailed process and the calls in it.

The host decides when a call is over; the process only answers.
"""

import asyncio
import os
import time
from typing import Any, Protocol

from sandbox.engine import observed
from sandbox.engine.endings import Ending
from sandbox.engine.exchange import Question, Ticket
from sandbox.engine.launch import Jailed
from sandbox.engine.life import JailLife
from sandbox.engine.logs import redact
from sandbox.engine.result import Outcome, OutcomeCode
from sandbox.engine.spec import Attachment, Limits
from sandbox.engine.watch import Watch
from sandbox.engine.wire import (
    ENVELOPE_BYTES,
    FrameReader,
    WireError,
    attachment_fields,
    call_frame,
    control_frame,
    decode_message,
    new_nonce,
    result_of,
)

CONFIG_SECONDS = 2.0
CORES = os.cpu_count() or 1
PLUGIN_CODES = {
    code.value: code
    for code in (
        OutcomeCode.PLUGIN_ERROR,
        OutcomeCode.MEMORY_LIMIT,
        OutcomeCode.OUTPUT_LIMIT,
        OutcomeCode.EGRESS_DENIED,
    )
}


class Owner(Protocol):
    """Who gives a process its calls."""

    def on_free(self, process: "PluginProcess") -> None:
        """A call ended and the process can take another."""

    def on_end(self, process: "PluginProcess", ending: Ending) -> None:
        """The process takes no more calls. Told once."""


class PluginProcess(JailLife):
    """A spare once loaded; attached to one tenant for good; ended; gone."""

    def __init__(self, jailed: Jailed, limits: Limits, watch: Watch) -> None:
        super().__init__(jailed, limits, watch)
        self.attachment: Attachment | None = None
        self.hooks: frozenset[str] = frozenset()
        self.owner: Owner | None = None
        self.listed = False  # the owner's mark: it is among those that can take a call
        self.in_flight = 0
        self.last_used = time.monotonic()
        self.hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending: dict[bytes, Ticket | Question] = {}
        self._reader = FrameReader(limits.output_bytes + ENVELOPE_BYTES)

    @property
    def epoch(self) -> int:
        """Of the configuration it has; -1 for a spare."""
        return self.attachment.epoch if self.attachment else -1

    @property
    def is_idle(self) -> bool:
        """Alive, and nobody is waiting for it."""
        return not self.ended and not self._pending

    def submit(self, ticket: Ticket) -> None:
        """Hand a call over. From here on it may have acted."""
        nonce = new_nonce()
        call = ticket.call
        now = time.monotonic()
        wall = self.limits.wall_seconds
        if call.wall_seconds is not None and call.wall_seconds < wall:
            wall = call.wall_seconds
        ticket.started_at = now
        ticket.kill_at = kill_at = min(call.deadline, now + wall)
        self._pending[nonce] = ticket
        self.in_flight += 1
        self.watch.busy.add(self)
        self.watch.wake()
        self.write(call_frame(nonce, call, kill_at))

    def attach(self, attachment: Attachment) -> None:
        """Give the process to a tenant. Nobody waits for the answer: the wire keeps the order."""
        self.attachment = attachment
        self._ask("attach", attachment_fields(attachment))

    async def change_config(self, attachment: Attachment) -> bool:
        """Whether the plugin took the new configuration within 2 s; if not, replace the process."""
        if "config_changed" not in self.hooks:
            return False
        fields = attachment_fields(attachment) | {"deadline": time.monotonic() + CONFIG_SECONDS}
        answer = await self.ask("config", CONFIG_SECONDS, fields)
        if "done" not in answer:
            return False
        self.attachment = attachment
        return True

    async def ask(self, do: str, seconds: float, fields: dict[str, Any]) -> dict[str, Any]:
        """The answer to a control message: it has ``done``, or ``code`` and ``message``.

        A process that does not answer in time is ended.
        """
        question = self._ask(do, fields)
        try:
            async with asyncio.timeout(seconds):
                return await question.future
        except TimeoutError:
            self.log.read_rest()
            log = self.log.take(self._secrets())
            message = f"{do} took longer than {seconds:g} s"
            self.kill(OutcomeCode.TIMEOUT, message)
            return {"code": OutcomeCode.TIMEOUT.value, "message": message, "log": log}

    def _ask(self, do: str, fields: dict[str, Any]) -> Question:
        question = Question(asyncio.get_running_loop().create_future())
        if self.ended:
            question.fail("the process has ended")
            return question
        nonce = new_nonce()
        self._pending[nonce] = question
        self.write(control_frame(nonce, do, fields))
        return question

    async def drain(self, seconds: float) -> None:
        """Let the plugin's own ``drain`` run, then end."""
        if "drain" in self.hooks and not self.ended:
            await self.ask("drain", seconds, {"deadline": time.monotonic() + seconds})
        await self.finish()

    def data_received(self, data: bytes) -> None:
        """Frames of the process; anything that breaks the protocol ends it."""
        try:
            for frame in self._reader.feed(data):
                if self.ended:
                    return
                answer = result_of(frame)
                if answer is None:
                    self._on_message(decode_message(frame))
                else:
                    self._on_result(*answer)
        except WireError as error:
            self.kill(OutcomeCode.PROTOCOL_ERROR, f"the process sent {error}")

    def _on_result(self, nonce: bytes, result: bytes) -> None:
        ticket = self._pending.get(nonce)
        if not isinstance(ticket, Ticket):
            raise WireError("an answer to no call")
        if len(result) > self.limits.output_bytes:
            raise WireError(f"a result of {len(result)} bytes")
        self._settle(nonce, ticket, OutcomeCode.OK, result, "")

    def _on_message(self, message: dict[str, Any]) -> None:
        if "hello" in message and not self.hello.done() and isinstance(message["hello"], dict):
            self.hello.set_result(message["hello"])
            return
        nonce = str(message.get("nonce", "")).encode()
        pending = self._pending.get(nonce)
        if pending is None:
            raise WireError("an answer to no call")
        if isinstance(pending, Question):
            del self._pending[nonce]
            pending.settle(message)
        elif "printed" in message:
            self.log.read_rest()
            pending.keep_metrics(message.get("metrics"))
        else:
            self._on_failure(nonce, pending, message)

    def _on_failure(self, nonce: bytes, ticket: Ticket, message: dict[str, Any]) -> None:
        code = PLUGIN_CODES.get(str(message.get("code")))
        text = message.get("message")
        if code is None or not isinstance(text, str):
            raise WireError("an answer without a known code")
        if code is OutcomeCode.MEMORY_LIMIT:
            needed = f"more than {self.limits.memory_mb} MB of memory were needed"
            self.kill(code, needed, ticket)
        else:
            self._settle(nonce, ticket, code, None, redact(text, self._secrets()))

    def _settle(
        self, nonce: bytes, ticket: Ticket, code: OutcomeCode, result: bytes | None, message: str
    ) -> None:
        del self._pending[nonce]
        self.in_flight -= 1
        now = self.last_used = time.monotonic()
        logs = self.log.take(self._secrets()) if self.log else ""
        if self.owner is not None:
            self.owner.on_free(self)
        if not self.in_flight:
            self.watch.busy.discard(self)
        if not ticket.promise.done():
            wall = now - ticket.started_at
            ticket.promise.set_result(
                Outcome(code, result, message, wall, True, logs, ticket.metrics)
            )

    def _secrets(self) -> list[str]:
        return list(self.attachment.secrets.values()) if self.attachment else []

    def check(self, now: float) -> None:
        """Asked 40 times a second while a call is in it: end what is over a limit."""
        self.resume_log()
        for pending in self._pending.values():
            if not isinstance(pending, Ticket):
                continue
            method = pending.call.method
            if now >= pending.kill_at:
                ran = f"{method} did not answer within {now - pending.started_at:.3g} s"
                self.kill(OutcomeCode.TIMEOUT, ran, pending)
                return
            if self._is_over_cpu(pending, now):
                used = f"{method} used more than {self.limits.cpu_seconds:g} s of CPU"
                self.kill(OutcomeCode.CPU_LIMIT, used, pending)
                return

    def _is_over_cpu(self, ticket: Ticket, now: float) -> bool:
        """Reads /proc only for calls that have run long enough to be able to be over."""
        if ticket.cpu_start is None:
            ticket.cpu_start = observed.cpu_seconds_of(self.jailed.first)
            return False
        if now - ticket.started_at < self.limits.cpu_seconds / CORES:
            return False
        used = observed.cpu_seconds_of(self.jailed.first) - ticket.cpu_start
        return used > self.limits.cpu_seconds * self.in_flight

    def close_exchanges(self, ending: Ending, culprit: Any) -> None:
        """Answer the calls and questions that are open, and tell the owner."""
        self.watch.busy.discard(self)
        logs = self.log.take(self._secrets()) if self.log and self._pending else ""
        pending, self._pending, self.in_flight = self._pending, {}, 0
        for each in pending.values():
            each.end(ending if culprit in (None, each) else ending.for_bystander(), logs)
        if not self.hello.done():
            self.hello.set_result({})
        if self.owner is not None:
            self.owner.on_end(self, ending)
