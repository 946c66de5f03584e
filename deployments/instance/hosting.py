"""Makes the placements that the rows ask for true: loads, keeps spares, unloads, tries again.

Level-triggered: ``reconcile`` compares what should be with what is, at any time and as often as one
likes. It never waits; what takes time runs in one task for each version.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from deployments.instance.alarms import Alarms
from deployments.instance.database import PlacementRow
from deployments.instance.facts import Shard, Snapshot, VersionFact
from deployments.instance.loaded import LoadedVersion
from deployments.instance.loader import Loader
from deployments.instance.probing import failure, probe_version
from deployments.placements import Desired
from hotswap.lib.errors import HotSwapError
from sandbox.engine.result import LoadFailed

logger = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
BASE_SPARES = 1
DRAIN_SECONDS = 5.0


@dataclass(slots=True)
class Hosted:
    """One version here. ``state`` is a PlacementState; ``is_ending``: too late to want it again."""

    fact: VersionFact
    state: str = "fetching"
    detail: str = ""
    loaded: LoadedVersion | None = None
    probe: Mapping[str, object] | None = None
    spares: int = BASE_SPARES
    failures: int = 0
    retry_at: float = 0.0
    is_ending: bool = False
    task: "asyncio.Task[None] | None" = None
    probing: "asyncio.Task[None] | None" = None

    def row(self) -> PlacementRow:
        statistics = self.loaded.pool.statistics() if self.loaded else None
        return PlacementRow(
            version_id=self.fact.id,
            state=self.state,
            detail=self.detail,
            load_seconds=self.loaded.load_seconds if self.loaded else None,
            attestation=self.loaded.attestation if self.loaded else None,
            probe=self.probe,
            processes=statistics.processes if statistics else 0,
            # The one that every version keeps is no news to whoever waits for more.
            spares=max(0, statistics.spares) if statistics else 0,
        )


@dataclass(slots=True)
class _Wanted:
    """A shard's desired placements, and until when nothing but a new shard changes them."""

    shard: Shard
    until: float
    placements: Mapping[str, Desired] = field(default_factory=dict)


class Hosting:
    """``ready`` is what calls look into; only this class changes it."""

    def __init__(self, loader: Loader, on_change: Callable[[], None]) -> None:
        self.ready: dict[str, LoadedVersion] = {}
        self.hosted: dict[str, Hosted] = {}
        self.alarms = Alarms()
        self._loader = loader
        self._on_change = on_change
        self._wanted: dict[str, _Wanted] = {}
        self._stopping = False

    def reconcile(self, snapshot: Snapshot) -> None:
        """Start and end what the snapshot asks for. Cheap when nothing changed."""
        if self._stopping:
            return
        desired = self._desired(snapshot, time.time())
        for version_id, (fact, wanted) in desired.items():
            self._want(version_id, fact, BASE_SPARES + wanted.extra_spares, snapshot)
        for version_id in [key for key in self.hosted if key not in desired]:
            self._unwant(version_id)

    def release_disabled(self, before: Snapshot | None, after: Snapshot) -> None:
        """Processes of installations that were switched off end, with all they know."""
        for loaded in self.ready.values():
            shard = after.shards.get(loaded.fact.plugin_id)
            if shard is None or (before and before.shards.get(shard.id) is shard):
                continue
            enabled = {row.id for row in shard.installations.values() if row.is_enabled}
            for installation_id in [key for key in loaded.attached if key not in enabled]:
                self._run(loaded.release(installation_id))

    def is_settled(self, snapshot: Snapshot) -> bool:
        """Whether every placement is ready, or has failed and is being tried again."""
        desired = self._desired(snapshot, time.time())
        return all(self._is_settled(version_id) for version_id in desired)

    def rows(self) -> dict[str, PlacementRow]:
        """As they are reported."""
        return {version_id: hosted.row() for version_id, hosted in self.hosted.items()}

    async def stop(self, seconds: float) -> None:
        """Let calls finish, run the plugins' own drain, end every process."""
        self._stopping = True
        for hosted in self.hosted.values():
            for task in (hosted.task, hosted.probing):
                if task is not None:
                    task.cancel()
        self.ready.clear()
        pools = [each.loaded.pool for each in self.hosted.values() if each.loaded]
        await asyncio.gather(*(pool.drain(seconds) for pool in pools), return_exceptions=True)

    def _desired(self, snapshot: Snapshot, now: float) -> dict[str, tuple[VersionFact, Desired]]:
        """Looks into a shard again only when it is another one or its next moment has come."""
        self._wanted = {key: self._desired_of(shard, now) for key, shard in snapshot.shards.items()}
        return {
            version_id: (each.shard.versions[version_id], wanted)
            for each in self._wanted.values()
            for version_id, wanted in each.placements.items()
        }

    def _desired_of(self, shard: Shard, now: float) -> _Wanted:
        known = self._wanted.get(shard.id)
        if known is not None and known.shard is shard and now < known.until:
            return known
        return _Wanted(shard, shard.next_change(now), shard.desired(now))

    def _is_settled(self, version_id: str) -> bool:
        hosted = self.hosted.get(version_id)
        return hosted is not None and (hosted.state == "ready" or hosted.failures > 0)

    def _want(self, version_id: str, fact: VersionFact, spares: int, snapshot: Snapshot) -> None:
        hosted = self.hosted.get(version_id)
        if hosted is None:
            hosted = self.hosted[version_id] = Hosted(fact, spares=spares)
            self._start(hosted, snapshot)
        elif hosted.state == "failed" and time.monotonic() >= hosted.retry_at:
            hosted.fact = fact
            self._start(hosted, snapshot)
        elif hosted.state == "draining" and not hosted.is_ending:
            self._keep_after_all(hosted)
        if hosted.spares != spares:
            hosted.spares = spares
            if hosted.loaded is not None:
                self._run(hosted.loaded.pool.set_spares(spares))

    def _unwant(self, version_id: str) -> None:
        hosted = self.hosted[version_id]
        if hosted.state == "draining":
            return
        if hosted.task is not None:
            hosted.task.cancel()
        if hosted.probing is not None:
            hosted.probing.cancel()
        if hosted.loaded is None:
            del self.hosted[version_id]
            self._on_change()
            return
        # From here no call begins on it: routing and this happen on one thread without a wait.
        self.ready.pop(version_id, None)
        self._set(hosted, "draining")
        hosted.task = asyncio.get_running_loop().create_task(self._unload(hosted))

    def _keep_after_all(self, hosted: Hosted) -> None:
        if hosted.task is not None:
            hosted.task.cancel()
        if hosted.loaded is not None:
            self.ready[hosted.fact.id] = hosted.loaded
            self._set(hosted, "ready")

    def _start(self, hosted: Hosted, snapshot: Snapshot) -> None:
        approved_only = snapshot.environment.requires_approved_versions
        self._set(hosted, "fetching")
        hosted.task = asyncio.get_running_loop().create_task(self._load(hosted, approved_only))

    async def _load(self, hosted: Hosted, approved_only: bool) -> None:
        try:
            hosted.loaded = await self._loader.load(
                hosted.fact,
                approved_only=approved_only,
                spares=hosted.spares,
                on_state=lambda state: self._set(hosted, state),
            )
        except (HotSwapError, LoadFailed, OSError) as error:
            self.alarms.notice(hosted.fact, error)
            self._fail(hosted, str(error), getattr(error, "log", ""))
            return
        # Whatever it was, calls of other versions go on.
        except Exception as error:
            logger.exception("load_broke", version_id=hosted.fact.id)
            self._fail(hosted, f"{type(error).__name__}: {error}", "")
            return
        hosted.failures = 0
        self.ready[hosted.fact.id] = hosted.loaded
        self._set(hosted, "ready")
        hosted.probing = asyncio.get_running_loop().create_task(self._probe(hosted))

    async def _probe(self, hosted: Hosted) -> None:
        if hosted.loaded is None:
            return
        try:
            hosted.probe = await probe_version(hosted.loaded)
        # A deployment waits for this answer: no answer at all would hold it up for minutes.
        except Exception as error:
            logger.exception("probe_broke", version_id=hosted.fact.id)
            hosted.probe = {
                "ok": False,
                "failures": [failure("", 0, f"the probe broke: {error!r}")],
            }
        self._on_change()

    def _fail(self, hosted: Hosted, reason: str, log: str) -> None:
        hosted.failures += 1
        wait = FIRST_RETRY_SECONDS * 2 ** (hosted.failures - 1)
        hosted.retry_at = time.monotonic() + min(wait, LONGEST_RETRY_SECONDS)
        last_line = "".join(log.strip().splitlines()[-1:])
        detail = reason if last_line in reason else f"{reason} ({last_line})"
        ids = {"plugin": hosted.fact.plugin, "version": hosted.fact.version}
        logger.warning("load_failed", detail=detail, **ids)
        self._set(hosted, "failed", detail)

    async def _unload(self, hosted: Hosted) -> None:
        """Calls that were routed here finish first, whether they run or wait."""
        if hosted.loaded is not None:
            await hosted.loaded.wait_quiet()
            hosted.is_ending = True
            await hosted.loaded.pool.drain(DRAIN_SECONDS)
        if self.hosted.get(hosted.fact.id) is hosted:
            del self.hosted[hosted.fact.id]
        self._on_change()

    def _set(self, hosted: Hosted, state: str, detail: str = "") -> None:
        hosted.state, hosted.detail = state, detail
        self._on_change()

    def _run(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        _BACKGROUND.add(task)
        task.add_done_callback(_BACKGROUND.discard)


_BACKGROUND: "set[asyncio.Task[object]]" = set()
