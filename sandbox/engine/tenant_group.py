"""The processes of one tenant in one version, and the calls that wait for them.

Waiting calls stay here, in the host: a kill loses only the call that ran. One process has one call
at a time (``threads`` of them where the manifest asks for it).
"""

import asyncio
import time
from collections import deque
from typing import Protocol

from sandbox.engine.breaker import Breaker
from sandbox.engine.endings import Ending
from sandbox.engine.exchange import Ticket
from sandbox.engine.process import PluginProcess
from sandbox.engine.result import OutcomeCode
from sandbox.engine.spec import Attachment
from sandbox.engine.watch import Watch

MAX_WAITING = 1000
RETRY_SECONDS = 1.0


class Supply(Protocol):
    """Where a group gets its processes, and gives them back to."""

    watch: Watch
    threads: int
    processes_per_tenant: int

    def claim(self, group: "TenantGroup") -> PluginProcess | None:
        """A loaded spare, or None: then the group gets one by ``adopt`` or hears ``refuse_all``."""

    def unclaim(self, group: "TenantGroup") -> None:
        """The group no longer needs what it asked for."""

    def on_process_end(self) -> None:
        """A process of a group ended."""

    def retire(self, process: PluginProcess) -> None:
        """End a process that has no calls."""


class TenantGroup:
    """Never holds a process that served anybody else."""

    def __init__(self, supply: Supply, attachment: Attachment) -> None:
        self.supply = supply
        self.attachment = attachment
        self.processes: list[PluginProcess] = []
        self.waiting: deque[Ticket] = deque()
        self.claims = 0
        self.closing = False
        self.breaker = Breaker()
        self._free: list[PluginProcess] = []
        self._changing: set[asyncio.Task[None]] = set()

    def submit(self, ticket: Ticket, attachment: Attachment) -> None:
        """Run the call now or as soon as a process is free.

        An older attachment than the known one changes nothing.
        """
        if attachment.epoch > self.attachment.epoch:
            self.attachment = attachment
        if len(self.waiting) >= MAX_WAITING:
            ticket.refuse(OutcomeCode.NOT_READY, f"{MAX_WAITING} calls already wait", RETRY_SECONDS)
            return
        self.waiting.append(ticket)
        self.dispatch()

    def dispatch(self) -> None:
        """Give waiting calls to free processes; ask for more processes if calls are left."""
        while self.waiting:
            process = self._take_free() or self._claimed()
            if process is None:
                break
            ticket = self.waiting.popleft()
            if ticket.promise.done():
                self._list(process)
                continue
            process.submit(ticket)
            self._list(process)
        if self.waiting:
            self.supply.watch.waiting.add(self)
            self.supply.watch.wake()
        elif self.claims:
            self.supply.unclaim(self)

    def _take_free(self) -> PluginProcess | None:
        """A process with room and the current configuration.

        One with an older configuration is sent to change it.
        """
        while self._free:
            process = self._free.pop()
            process.listed = False
            if process.epoch == self.attachment.epoch:
                return process
            if not process.in_flight:
                self._change_config(process)
        return None

    def _list(self, process: PluginProcess) -> None:
        """Remember a process that has room for another call."""
        if not process.ended and not process.listed and process.in_flight < self.supply.threads:
            process.listed = True
            self._free.append(process)

    def _claimed(self) -> PluginProcess | None:
        """A new process, when the tenant may have one more."""
        if len(self.processes) + self.claims >= self.supply.processes_per_tenant:
            return None
        if self.claims >= len(self.waiting):
            return None
        now = time.monotonic()
        if not self.breaker.allows(now):
            self._refuse_for_crashes(now)
            return None
        spare = self.supply.claim(self)
        if spare is None:
            return None
        self._attach(spare)
        return spare

    def _attach(self, process: PluginProcess) -> None:
        process.owner = self
        process.attach(self.attachment)
        self.processes.append(process)

    def adopt(self, process: PluginProcess) -> None:
        """A process that was asked for has come."""
        self._attach(process)
        self._list(process)
        self.dispatch()

    def refuse_all(self, code: OutcomeCode, message: str, retry_after: float) -> None:
        """No process can be had; calls that still have one to wait for stay."""
        if self.processes or self.claims:
            return
        while self.waiting:
            self.waiting.popleft().refuse(code, message, retry_after)

    def _refuse_for_crashes(self, now: float) -> None:
        left = self.breaker.seconds_left(now)
        message = f"this tenant's processes keep crashing; the next try is in {left:.0f} s"
        self.refuse_all(OutcomeCode.CRASHED, message, max(left, RETRY_SECONDS))

    def on_free(self, process: PluginProcess) -> None:
        """A process has room again."""
        if process.epoch == self.attachment.epoch or not process.in_flight:
            self._list(process)
        self.breaker.succeed()
        if self.waiting:
            self.dispatch()
        elif self.closing and not process.in_flight:
            self.supply.retire(process)

    def close(self) -> None:
        """End the processes, each after its calls."""
        self.closing = True
        for process in list(self.processes):
            if process.is_idle and not self.waiting:
                self.supply.retire(process)

    def is_forgettable(self, now: float) -> bool:
        """Whether a new group would be the same."""
        if self.processes or self.waiting or self.claims:
            return False
        return not self.breaker.has_recent_failures(now)

    def on_end(self, process: PluginProcess, ending: Ending) -> None:
        """Forget the process; calls that waited get another one."""
        self.processes.remove(process)
        if process.listed:
            self._free.remove(process)
            process.listed = False
        if ending.is_crash:
            self.breaker.fail(time.monotonic())
        self.supply.on_process_end()
        if self.waiting:
            self.dispatch()

    def expire(self, now: float) -> bool:
        """Answer waiting calls whose deadline has passed; whether any wait still."""
        if any(now >= ticket.call.deadline for ticket in self.waiting):
            alive = deque[Ticket]()
            for ticket in self.waiting:
                if now < ticket.call.deadline:
                    alive.append(ticket)
                else:
                    ticket.refuse(OutcomeCode.TIMEOUT, "the deadline passed while the call waited")
            self.waiting = alive
        return bool(self.waiting)

    def _change_config(self, process: PluginProcess) -> None:
        task = asyncio.get_running_loop().create_task(self._changed(process))
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)

    async def _changed(self, process: PluginProcess) -> None:
        """Tell the process its new configuration.

        End it if it cannot take that, so that a new one comes.
        """
        if await process.change_config(self.attachment) and not process.ended:
            self._list(process)
        elif not process.ended:
            self.supply.retire(process)
        self.dispatch()
