"""The outer life of a jailed process on the event loop.

Its wire, its log, its exit, and giving everything back.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, cast

from sandbox.engine.endings import Ending, ending_of
from sandbox.engine.launch import Jailed
from sandbox.engine.logs import LogTail
from sandbox.engine.result import OutcomeCode
from sandbox.engine.spec import Limits
from sandbox.engine.watch import Watch

EXIT_SECONDS = 1.0


class JailLife(asyncio.Protocol):
    """Running, then ended (takes nothing more), then gone (reaped, uid and cgroup given back).

    A subclass reads the frames and answers what is open in ``close_exchanges``.
    """

    def __init__(self, jailed: Jailed, limits: Limits, watch: Watch) -> None:
        self.jailed = jailed
        self.limits = limits
        self.watch = watch
        self.log = LogTail(jailed.log_fd)
        self.ended = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.WriteTransport | None = None
        self._lost = False
        self._exited = False
        self._verdict: Ending | None = None

    async def connect(self, wire: socket.socket) -> None:
        """Watch the wire, the log and the end of the process."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.jailed.monitor_fd, self._on_exit)
        loop.add_reader(self.jailed.log_fd, self._on_log)
        await loop.create_unix_connection(lambda: self, sock=wire)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop hands over the writing side; uvloop's is no subclass of asyncio's."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def write(self, frame: bytes) -> None:
        """Send a whole frame; after the end it goes nowhere."""
        if self._transport is not None:
            self._transport.write(frame)

    def close_exchanges(self, ending: Ending, culprit: Any) -> None:
        """Answer everything that is open. Told once."""
        raise NotImplementedError

    def end(self, ending: Ending, culprit: Any = None) -> None:
        """Take nothing more and answer what is open.

        Only the culprit, if any, gets the ending's own code.
        """
        if self.ended:
            return
        self.ended = True
        if self._transport is not None:
            self._transport.abort()
        self.close_exchanges(ending, culprit)

    def kill(self, code: OutcomeCode, message: str, culprit: Any = None) -> None:
        """End the process and everything it started, now."""
        if not self.gone.done():
            self.log.read_rest()
        self.send_kill()
        self.end(Ending(code, message), culprit)

    def send_kill(self) -> None:
        """Only the signal."""
        if not self._exited:
            self.jailed.kill()

    def hang_up(self) -> None:
        """Close the wire; the loop inside ends by itself."""
        self.end(Ending(OutcomeCode.DRAINING, "the process was retired"))

    async def finish(self) -> None:
        """Hang up, then force; back when the process is gone."""
        self.hang_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS):
                await asyncio.shield(self.gone)
        self.send_kill()
        await asyncio.shield(self.gone)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for the exit status, which says why; not long.

        It may have closed the wire and live on.
        """
        self._lost = True
        self._on_lost_or_exited()
        if not self._exited:
            asyncio.get_running_loop().call_later(EXIT_SECONDS, self._on_silence)

    def _on_silence(self) -> None:
        if not self._exited and not self.ended:
            self._verdict = Ending(OutcomeCode.PROTOCOL_ERROR, "the process closed its wire")
        self.send_kill()

    def _on_exit(self) -> None:
        if self.jailed.popen.poll() is None:
            return
        asyncio.get_running_loop().remove_reader(self.jailed.monitor_fd)
        self._exited = True
        self._on_lost_or_exited()

    def _on_lost_or_exited(self) -> None:
        """Both have to have happened: answers may still be in the socket when a process exits."""
        if not (self._lost and self._exited) or self.gone.done():
            return
        self.log.read_rest()
        self.end(self._verdict or ending_of(self.jailed, self.limits))
        asyncio.get_running_loop().remove_reader(self.jailed.log_fd)
        if not self.jailed.close():
            self.watch.add_chore(LeftOver(self.jailed, self.watch))
        self.gone.set_result(None)

    def _on_log(self) -> None:
        if not self.log.read():
            asyncio.get_running_loop().remove_reader(self.jailed.log_fd)

    def resume_log(self) -> None:
        """A new tick: read on if a flood had been stopped."""
        if self.log.refill() and not self.gone.done():
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
