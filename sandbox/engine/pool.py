"""One version on one instance: its spares, and the processes of each tenant that calls it.

A process that was attached to a tenant never serves another and never becomes a spare again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sandbox.engine import observed
from sandbox.engine.attestation import Attestation
from sandbox.engine.budget import ProcessBudget
from sandbox.engine.examination import examine_process, probe_process
from sandbox.engine.exchange import Promise, Ticket
from sandbox.engine.jail import JailSettings
from sandbox.engine.process import PluginProcess
from sandbox.engine.result import Examination, Outcome, OutcomeCode
from sandbox.engine.spec import Attachment, Call, PluginSpec
from sandbox.engine.supply import ProcessSupply
from sandbox.engine.tenant_group import RETRY_SECONDS, TenantGroup

IDLE_SECONDS = 300.0
DRAIN_HOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Counts of this moment.

    ``processes`` are attached ones; ``busy`` of them have a call in flight.
    """

    tenants: int
    processes: int
    busy: int
    waiting: int
    spares: int
    starting: int
    open_breakers: int


class VersionPool:
    """Start it, call it, drain it, stop it; all on one event loop."""

    def __init__(
        self,
        spec: PluginSpec,
        jail: JailSettings,
        *,
        processes_per_tenant: int = 1,
        budget: ProcessBudget | None = None,
        spares: int = 1,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.spec = spec
        self.budget = budget or ProcessBudget()
        self.idle_seconds = idle_seconds
        self._supply = ProcessSupply(spec, jail, self.budget, processes_per_tenant, spares)
        self._groups: dict[str, TenantGroup] = {}
        self._open_calls = 0
        self._draining = False
        self._quiet = asyncio.Event()

    async def start(self) -> Attestation:
        """Load the first spare.

        LoadFailed says what the version, JailUnavailable what the machine did wrong.
        """
        process, attestation = await self._supply.start_one()
        self.budget.pools.add(self)
        self.budget.watch.add_chore(self)
        self._supply.give(process)
        self._supply.balance()
        return attestation

    async def call(self, attachment: Attachment, call: Call) -> Outcome:
        """Run one call for the attachment's tenant. Never raises for anything that a plugin did."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(attachment, call, future)
        try:
            return await future
        finally:
            self.settled()

    def submit(self, attachment: Attachment, call: Call, promise: Promise) -> None:
        """As ``call``, with the outcome going to ``promise``; say ``settled`` once it has come."""
        self._open_calls += 1
        if self._draining:
            message = f"{self.spec.plugin} {self.spec.version} is draining"
            Ticket(call, promise).refuse(OutcomeCode.DRAINING, message, RETRY_SECONDS)
            return
        group = self._groups.get(attachment.tenant_id)
        if group is None:
            group = self._groups[attachment.tenant_id] = TenantGroup(self._supply, attachment)
        group.submit(Ticket(call, promise), attachment)

    def settled(self) -> None:
        """A call that was submitted has its outcome."""
        self._open_calls -= 1
        if not self._open_calls:
            self._on_no_calls()

    async def examine(
        self, examples: Sequence[Call] = (), attachment: Attachment | None = None
    ) -> Examination:
        """Ask liveness and readiness of a process without a tenant, never behind a call.

        LoadFailed if none can be had.

        With examples it runs them too, for a made-up tenant, and that process is thrown away.
        """
        process = await self._supply.take()
        if examples:
            try:
                return await examine_process(process, examples, attachment)
            finally:
                await process.finish()
        examination = await probe_process(process)
        if examination.healthy:
            self._supply.give(process)
        else:
            await process.finish()
        return examination

    async def set_spares(self, count: int) -> None:
        """Keep this many loaded processes without a tenant; they start or end in the background."""
        self._supply.set_wanted(count)

    async def release_tenant(self, tenant_id: str) -> None:
        """End a tenant's processes after the calls that it has.

        Nothing of it, secrets included, stays in memory.
        """
        group = self._groups.pop(tenant_id, None)
        if group is not None:
            group.close()

    async def drain(self, seconds: float) -> None:
        """Answer new calls with ``draining``, let the accepted ones finish, then stop.

        The plugin's own ``drain`` runs in every process of a tenant.
        """
        self._draining = True
        self._supply.set_wanted(0)
        if self._open_calls:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._quiet.wait()
        idle = [process for process in self._processes() if not process.in_flight]
        await asyncio.gather(*(process.drain(DRAIN_HOOK_SECONDS) for process in idle))
        await self.stop()

    async def stop(self) -> None:
        """End every process now; calls in flight and waiting are answered with ``draining``."""
        self._draining = True
        for group in self._groups.values():
            while group.waiting:
                group.waiting.popleft().refuse(
                    OutcomeCode.DRAINING, "this version is stopping", RETRY_SECONDS
                )
        await self._supply.stop()
        self.budget.watch.chores.discard(self)
        self.budget.pools.discard(self)

    def statistics(self) -> PoolStatistics:
        """Counts; cheap enough for every heartbeat."""
        groups = self._groups.values()
        breakers = [self._supply.breaker, *(group.breaker for group in groups)]
        return PoolStatistics(
            tenants=sum(1 for group in groups if group.processes),
            processes=sum(len(group.processes) for group in groups),
            busy=sum(1 for process in self._processes() if process.in_flight),
            waiting=sum(len(group.waiting) for group in groups),
            spares=len(self._supply.spares),
            starting=self._supply.starting,
            open_breakers=sum(breaker.is_open for breaker in breakers),
        )

    def memory_bytes(self) -> int:
        """Proportional memory of all its processes.

        Reads /proc for each: not for every heartbeat.
        """
        processes = [*self._supply.spares, *self._processes()]
        return sum(observed.pss_bytes_of(process.jailed.first) for process in processes)

    def oldest_idle(self) -> float | None:
        """When the least recently used idle process was last used."""
        return min((process.last_used for process in self._idle()), default=None)

    def end_oldest_idle(self) -> None:
        """Make room for somebody else."""
        idle = self._idle()
        if idle:
            min(idle, key=lambda process: process.last_used).hang_up()

    def do_chores(self, now: float) -> None:
        """End what was idle for long, forget tenants without processes, try again what failed."""
        for process in self._idle():
            if now - process.last_used > self.idle_seconds:
                self._supply.retire(process)
        for tenant_id in [key for key, group in self._groups.items() if group.is_forgettable(now)]:
            del self._groups[tenant_id]
        if not self._draining:
            self._supply.balance()

    def _on_no_calls(self) -> None:
        if self._draining:
            self._quiet.set()

    def _processes(self) -> list[PluginProcess]:
        return [process for group in self._groups.values() for process in group.processes]

    def _idle(self) -> list[PluginProcess]:
        return [process for process in self._processes() if process.is_idle]
