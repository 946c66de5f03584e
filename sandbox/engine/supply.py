"""Loaded processes without a tenant.

Kept ready, handed to whoever claims one, replaced in the background.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

from sandbox.engine.attestation import Attestation
from sandbox.engine.breaker import Breaker
from sandbox.engine.budget import ProcessBudget
from sandbox.engine.endings import Ending
from sandbox.engine.jail import JailSettings
from sandbox.engine.launch import starter
from sandbox.engine.loader import start_process
from sandbox.engine.prepared import prepare_machine
from sandbox.engine.process import PluginProcess
from sandbox.engine.result import LoadFailed, OutcomeCode
from sandbox.engine.spec import PluginSpec
from sandbox.engine.tenant_group import RETRY_SECONDS, TenantGroup

STARTS_AT_ONCE = 4


class ProcessSupply:
    """The spares of one version. Owner of each spare until a tenant's group takes it over."""

    def __init__(
        self,
        spec: PluginSpec,
        jail: JailSettings,
        budget: ProcessBudget,
        processes_per_tenant: int,
        wanted_spares: int,
    ) -> None:
        self.spec = spec
        self.threads = spec.threads
        self.processes_per_tenant = processes_per_tenant
        self.budget = budget
        self.watch = budget.watch
        self.breaker = Breaker()
        self.spares: list[PluginProcess] = []
        self.alive: set[PluginProcess] = set()  # everything that was started and is not gone
        self.wanted = wanted_spares
        self.starting = 0
        self._jail = jail
        self._claims: deque[TenantGroup] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._last_failure = ""

    def claim(self, group: TenantGroup) -> PluginProcess | None:
        """A spare, or None and a place in the queue for the next process."""
        if self.spares:
            spare = self.spares.pop()
            self.balance()
            return spare
        group.claims += 1
        self._claims.append(group)
        self.balance()
        return None

    def unclaim(self, group: TenantGroup) -> None:
        """The group's calls were answered without the process that it asked for."""
        group.claims = 0
        self._claims = deque(each for each in self._claims if each is not group)

    def on_process_end(self) -> None:
        """A tenant's process ended: its place is free."""
        self.budget.give_back()

    def retire(self, process: PluginProcess) -> None:
        """End a process without calls; its place is free at once, it goes in the background."""
        process.hang_up()
        self._run(process.finish())

    def on_free(self, process: PluginProcess) -> None:
        """Spares have no calls."""

    def on_end(self, process: PluginProcess, ending: Ending) -> None:
        """A spare ended by itself, or because it was retired."""
        if process in self.spares:
            self.spares.remove(process)
        self.budget.give_back()
        if ending.is_crash:
            self._last_failure = ending.message
            self.breaker.fail(time.monotonic())
        self.balance()

    async def start_one(self) -> tuple[PluginProcess, Attestation]:
        """A loaded process, owned by this supply, and what its jail has. LoadFailed if none."""
        if not self.budget.take():
            raise LoadFailed(
                f"all {self.budget.processes} plugin processes of this instance are in use"
            )
        return await self._start()

    async def take(self) -> PluginProcess:
        """A spare out of the row, or a new process, for a use that is not a tenant's."""
        process = self.spares.pop() if self.spares else (await self.start_one())[0]
        self.balance()
        return process

    def give(self, process: PluginProcess) -> None:
        """Put a process without a tenant to use: a claim first, then the spares, else it ends."""
        if process.ended:
            return
        if self._claims and not self._stopped:
            group = self._claims.popleft()
            group.claims -= 1
            group.adopt(process)
        elif len(self.spares) < self.wanted and not self._stopped:
            self.spares.append(process)
        else:
            self.retire(process)

    def set_wanted(self, count: int) -> None:
        """Keep this many spares from now on."""
        self.wanted = count
        for process in self.spares[: max(0, len(self.spares) - count)]:
            self.retire(process)
        self.balance()

    def balance(self) -> None:
        """Start what is missing for claims and spares.

        Claims may push idle processes out, spares may not.
        """
        while not self._stopped and self.starting < STARTS_AT_ONCE:
            claimed = len(self._claims) > self.starting
            if not claimed and len(self.spares) + self.starting >= self.wanted + len(self._claims):
                return
            if not self.breaker.allows(time.monotonic()):
                self._refuse_claims(f"it keeps failing to start: {self._last_failure}")
                return
            if not (self.budget.take() if claimed else self.budget.try_take()):
                self._refuse_claims(f"all {self.budget.processes} plugin processes are in use")
                return
            self.starting += 1
            self._run(self._start_and_give())

    async def stop(self) -> None:
        """End every process and wait for everything that was begun."""
        self._stopped = True
        self.wanted = 0
        for process in list(self.alive):
            process.kill(OutcomeCode.DRAINING, "this version was stopped while the call ran")
        while self._tasks:
            await asyncio.wait(self._tasks)
        for process in list(self.alive):
            await asyncio.shield(process.gone)

    async def _start(self) -> tuple[PluginProcess, Attestation]:
        """In a place of the budget that is taken already."""
        try:
            loop = asyncio.get_running_loop()
            machine = await loop.run_in_executor(starter(), prepare_machine, self._jail)
            process, attestation = await start_process(machine, self.spec, self.watch)
        except BaseException:
            self.budget.give_back()
            raise
        process.owner = self
        self.alive.add(process)
        process.gone.add_done_callback(lambda _: self.alive.discard(process))
        return process, attestation

    async def _start_and_give(self) -> None:
        try:
            process, _ = await self._start()
        except LoadFailed as failure:
            self._last_failure = failure.reason
            self.breaker.fail(time.monotonic())
            self._refuse_one(failure.reason)
        else:
            self.breaker.succeed()
            self.give(process)
        finally:
            self.starting -= 1
        self.balance()

    def _refuse_one(self, reason: str) -> None:
        if self._claims:
            group = self._claims.popleft()
            group.claims -= 1
            group.refuse_all(OutcomeCode.NOT_READY, reason, RETRY_SECONDS)

    def _refuse_claims(self, reason: str) -> None:
        """Those for whom no process is being started."""
        while len(self._claims) > self.starting:
            group = self._claims.pop()
            group.claims -= 1
            group.refuse_all(OutcomeCode.NOT_READY, reason, RETRY_SECONDS)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
