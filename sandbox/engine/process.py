"""One jailed process and the calls in it. The host decides when a call is over; the process only answers.

Everything runs on the event loop; starting a jail is the only thing that happens in a thread.
"""

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from sandbox.engine import observed
from sandbox.engine.attestation import Attestation
from sandbox.engine.endings import Ending, ending_of
from sandbox.engine.exchange import Question, Ticket
from sandbox.engine.launch import Jailed
from sandbox.engine.limits import has_rlimits
from sandbox.engine.logs import LogTail, redact
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
EXIT_SECONDS = 1.0
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


class PluginProcess(asyncio.Protocol):
    """States: started (a spare once loaded), attached to one tenant for good, ended, gone."""

    def __init__(self, jailed: Jailed, limits: Limits, watch: Watch) -> None:
        self.jailed = jailed
        self.limits = limits
        self.attachment: Attachment | None = None
        self.hooks: frozenset[str] = frozenset()
        self.owner: Owner | None = None
        self.listed = False  # the owner's mark: it is among those that can take a call
        self.in_flight = 0
        self.ended = False
        self.last_used = time.monotonic()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.log = LogTail(jailed.log_fd)
        self._pending: dict[bytes, Ticket | Question] = {}
        self._reader = FrameReader(limits.output_bytes + ENVELOPE_BYTES)
        self._watch = watch
        self._transport: asyncio.Transport | None = None
        self._lost = False
        self._exited = False
        self._forced: Ending | None = None

    # -- life ---------------------------------------------------------------------------------------------------

    async def connect(self, wire: socket.socket) -> None:
        """Watch the wire, the log and the end of the process."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.jailed.monitor_fd, self._on_exit)
        loop.add_reader(self.jailed.log_fd, self._on_log)
        await loop.create_unix_connection(lambda: self, sock=wire)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio hands over the writing side."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def epoch(self) -> int:
        """Of the configuration it has; -1 for a spare."""
        return self.attachment.epoch if self.attachment else -1

    @property
    def is_idle(self) -> bool:
        """Attached, alive, and nobody is waiting for it."""
        return not self.ended and not self._pending

    def attest(self, hello: Mapping[str, Any]) -> Attestation:
        """What is in force, read from the kernel; only Landlock cannot be seen from outside."""
        inside = observed.children_of(self.jailed.first)
        pid = inside[0] if inside else self.jailed.first
        status = observed.status_of(pid)
        uid = observed.host_uid_of(status)
        return Attestation(
            host_uid=uid,
            own_uid=self.jailed.uid is not None and uid == self.jailed.uid,
            namespaces=observed.separate_namespaces(pid),
            seccomp=status.get("Seccomp") == "2",
            no_new_privs=status.get("NoNewPrivs") == "1",
            rlimits=has_rlimits(pid, self.jailed.rlimits),
            landlock_abi=int(hello.get("landlock", 0)),
            cgroup=f"v{self.jailed.cgroup.version}" if self.jailed.cgroup else "",
            python=".".join(map(str, hello.get("python", []))),
        )

    # -- exchanges ----------------------------------------------------------------------------------------------

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
        watch = self._watch
        watch.busy.add(self)
        watch.wake()
        assert self._transport is not None
        self._transport.write(call_frame(nonce, call, kill_at))

    def attach(self, attachment: Attachment) -> None:
        """Give the process to a tenant. Needs no answer: the wire keeps the order."""
        self.attachment = attachment
        self._ask("attach", attachment_fields(attachment))

    async def change_config(self, attachment: Attachment) -> bool:
        """Whether the plugin accepted the new configuration within 2 s; if not, replace the process."""
        if "config_changed" not in self.hooks:
            return False
        fields = attachment_fields(attachment) | {"deadline": time.monotonic() + CONFIG_SECONDS}
        answer = await self.ask("config", CONFIG_SECONDS, fields)
        if "done" not in answer:
            return False
        self.attachment = attachment
        return True

    async def ask(self, do: str, seconds: float, fields: dict[str, Any]) -> dict[str, Any]:
        """The answer to a control message: it has ``done``, or ``code`` and ``message``. Late answers end the process."""
        question = self._ask(do, fields)
        try:
            async with asyncio.timeout(seconds):
                return await question.future
        except TimeoutError:
            message = f"{do} took longer than {seconds:g} s"
            self.kill(OutcomeCode.TIMEOUT, message)
            return {"code": OutcomeCode.TIMEOUT.value, "message": message}

    def _ask(self, do: str, fields: dict[str, Any]) -> Question:
        question = Question(asyncio.get_running_loop().create_future())
        if self.ended or self._transport is None:
            question.fail("the process has ended")
            return question
        nonce = new_nonce()
        self._pending[nonce] = question
        self._transport.write(control_frame(nonce, do, fields))
        return question

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
        if isinstance(pending, Question):
            del self._pending[nonce]
            pending.settle(message)
        elif pending is None:
            raise WireError("an answer to no call")
        elif "printed" in message:
            self._read_log()
            pending.keep_metrics(message.get("metrics"))
        else:
            self._on_failure(nonce, pending, message)

    def _on_failure(self, nonce: bytes, ticket: Ticket, message: dict[str, Any]) -> None:
        code = PLUGIN_CODES.get(str(message.get("code")))
        text = message.get("message")
        if code is None or not isinstance(text, str):
            raise WireError("an answer without a known code")
        if code is OutcomeCode.MEMORY_LIMIT:
            self.kill(code, f"more than {self.limits.memory_mb} MB of memory were needed", ticket)
        else:
            self._settle(nonce, ticket, code, None, redact(text, self._secrets()))

    def _settle(
        self, nonce: bytes, ticket: Ticket, code: OutcomeCode, result: bytes | None, message: str
    ) -> None:
        del self._pending[nonce]
        now = self.last_used = time.monotonic()
        logs = self.log.take(self._secrets()) if self.log else ""
        if not ticket.future.done():
            ticket.future.set_result(
                Outcome(code, result, message, now - ticket.started_at, True, logs, ticket.metrics)
            )
        self.in_flight -= 1
        if self.owner is not None:
            self.owner.on_free(self)
        if not self.in_flight:
            self._watch.busy.discard(self)

    def _secrets(self) -> list[str]:
        return list(self.attachment.secrets.values()) if self.attachment else []

    # -- limits -------------------------------------------------------------------------------------------------

    def check(self, now: float) -> None:
        """Asked 40 times a second while busy."""
        if self.log.refill():
            self._resume_log()
        for pending in self._pending.values():
            if not isinstance(pending, Ticket):
                continue
            if now >= pending.kill_at:
                ran = now - pending.started_at
                self.kill(
                    OutcomeCode.TIMEOUT,
                    f"{pending.call.method} did not answer within {ran:.3g} s",
                    pending,
                )
                return
            if self._is_over_cpu(pending, now):
                limit = self.limits.cpu_seconds
                self.kill(
                    OutcomeCode.CPU_LIMIT,
                    f"{pending.call.method} used more than {limit:g} s of CPU",
                    pending,
                )
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

    # -- end ----------------------------------------------------------------------------------------------------

    def kill(self, code: OutcomeCode, message: str, culprit: Ticket | None = None) -> None:
        """End the process now and answer what was in it; only the culprit gets the code, if there is one."""
        if self.ended:
            self.jailed_kill()
            return
        self._read_log()
        self.jailed_kill()
        self._end(Ending(code, message), culprit)

    def jailed_kill(self) -> None:
        """Only the signal, for a process whose calls are answered already."""
        if not self._exited:
            self.jailed.kill()

    async def finish(self, drain_seconds: float = 0) -> None:
        """End an idle process: the plugin's ``drain`` when it has one, then hang up, then force."""
        if drain_seconds > 0 and "drain" in self.hooks and not self.ended:
            await self.ask("drain", drain_seconds, {"deadline": time.monotonic() + drain_seconds})
        self.hang_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS):
                await asyncio.shield(self.gone)
            return
        self.jailed_kill()
        await asyncio.shield(self.gone)

    def hang_up(self) -> None:
        """Close the wire; the loop inside ends by itself."""
        if not self.ended:
            self._end(Ending(OutcomeCode.DRAINING, "the process was retired"), None)
        elif self._transport is not None:
            self._transport.abort()

    def _end(self, ending: Ending, culprit: Ticket | None) -> None:
        self.ended = True
        self._watch.busy.discard(self)
        if self._transport is not None:
            self._transport.abort()
        logs = self.log.take(self._secrets()) if self.log and self._pending else ""
        pending, self._pending, self.in_flight = self._pending, {}, 0
        for each in pending.values():
            each.end(ending if culprit in (None, each) else ending.for_bystander(), logs)
        if not self.hello.done():
            self.hello.set_result({})
        if self.owner is not None:
            self.owner.on_end(self, ending)

    def eof_received(self) -> bool | None:
        """The process hung up: that is its end, whatever it still does."""
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for the exit status, which says why; not long, because it may have closed the wire and live on."""
        self._lost = True
        self._on_lost_or_exited()
        if not self._exited:
            asyncio.get_running_loop().call_later(EXIT_SECONDS, self._on_silence)

    def _on_silence(self) -> None:
        if not self._exited and not self.ended:
            self._forced = Ending(OutcomeCode.PROTOCOL_ERROR, "the process closed its wire")
        self.jailed_kill()

    def _on_exit(self) -> None:
        if self.jailed.popen.poll() is None:
            return
        asyncio.get_running_loop().remove_reader(self.jailed.monitor_fd)
        self._exited = True
        self._on_lost_or_exited()

    def _on_lost_or_exited(self) -> None:
        if not (self._lost and self._exited) or self.gone.done():
            return
        self._read_log()
        if not self.ended:
            self._end(self._forced or ending_of(self.jailed, self.limits), None)
        asyncio.get_running_loop().remove_reader(self.jailed.log_fd)
        if not self.jailed.close():
            self._watch.add_chore(LeftOver(self.jailed, self._watch))
        self.gone.set_result(None)

    # -- log ----------------------------------------------------------------------------------------------------

    def _on_log(self) -> None:
        if not self.log.read():
            asyncio.get_running_loop().remove_reader(self.jailed.log_fd)

    def _read_log(self) -> None:
        if not self.gone.done():
            self.log.read()

    def _resume_log(self) -> None:
        if not self._exited:
            asyncio.get_running_loop().add_reader(self.jailed.log_fd, self._on_log)


class LeftOver:
    """A cgroup that could not be removed yet."""

    def __init__(self, jailed: Jailed, watch: Watch) -> None:
        self._jailed = jailed
        self._watch = watch

    def do_chores(self, now: float) -> None:
        """Try again."""
        if self._jailed.cgroup is None or self._jailed.cgroup.remove():
            self._watch.chores.discard(self)
