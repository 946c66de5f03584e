"""Follows the rows and reports back in a thread of its own: no call waits for PostgreSQL.

When the database is away nothing here fails: the instance goes on by what it knows, and the windows
and reports wait.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TypeVar

import psycopg
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from deployments.instance.alarms import AlarmRow
from deployments.instance.database import Database, PlacementRow, Report, utc_now
from deployments.instance.facts import Snapshot
from deployments.instance.hosting import Hosting
from deployments.instance.knowledge import Knowledge
from deployments.instance.snapshot_file import Kept, SnapshotFile, SnapshotRefusedError
from deployments.instance.windows import Windows
from hotswap.lib.errors import HotSwapError

logger = structlog.get_logger(__name__)
T = TypeVar("T")

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 2.0
REPORT_SECONDS = 0.5
FLUSH_SECONDS = 1.0
KEEP_SECONDS = 30.0
HINT_RETRY_SECONDS = 2.0
AWAY = (psycopg.Error, OSError, HotSwapError, LookupError)


class Following:
    """Four loops: poll, report, flush, keep; and one that listens for hints to poll now."""

    def __init__(
        self,
        knowledge: Knowledge,
        database: Database,
        file: SnapshotFile,
        hosting: Hosting,
        windows: Windows,
        *,
        addresses: tuple[str, str],
        redis_url: str,
        environment: str,
    ) -> None:
        self._knowledge = knowledge
        self._database = database
        self._file = file
        self._hosting = hosting
        self._windows = windows
        self._addresses = addresses
        self._redis_url = redis_url
        self._channels = [f"hotswap:generation:{name}" for name in (environment, "credentials")]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._started_at = utc_now()
        self._reported: dict[str, PlacementRow] = {}
        self._alarmed: dict[tuple[str, str], AlarmRow] = {}
        self._reported_at = 0.0
        self._is_registered = False
        self._has_read = False
        self._is_away = False
        self._kept: Snapshot | None = None
        self._poll_now = asyncio.Event()
        self._report_now = asyncio.Event()

    def hurry_report(self) -> None:
        """Something that others wait for has changed."""
        self._report_now.set()

    def restore(self) -> None:
        """Begin with what was kept on disk. Nothing there, or nothing that can be trusted: wait."""
        try:
            kept = self._file.load()
        except SnapshotRefusedError as error:
            logger.error("snapshot_refused", reason=error.message)  # noqa: TRY400 - expected
            return
        if kept is not None:
            self._knowledge.confirmed_at = kept.confirmed_at
            self._knowledge.kept_instances = kept.live_instances
            self._apply(kept.snapshot)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in (self._poll, self._report, self._flush, self._keep, self._listen):
                group.create_task(loop())

    async def stop(self) -> None:
        """The last windows and the word that this instance has stopped, if anybody hears it."""
        self._windows.close()
        await self._try("flush", self._store_windows)
        await self._try("report", lambda: self._send_report(utc_now()))
        self._thread.submit(self._database.close)
        self._thread.shutdown(wait=False)

    async def say_stopping(self) -> None:
        """Nobody shall send calls here any more."""
        await self._try("report", lambda: self._send_report(utc_now()))

    async def _poll(self) -> None:
        """The database first: what the disk knows counts only if there is nobody to ask."""
        while True:
            if not self._is_registered:
                await self._try("register", lambda: self._send_report(None))
            if self._is_registered:
                await self._try("poll", self._read)
            if self._knowledge.snapshot is None:
                self.restore()
            await _wait(self._poll_now, POLL_SECONDS)

    async def _read(self) -> None:
        """Everything the first time: the disk may be wrong in ways that no changed row shows."""
        identity = self._knowledge.identity
        before = self._knowledge.snapshot if self._has_read else None
        snapshot = await self._in_thread(lambda: self._database.read(identity.id, before))
        self._knowledge.confirmed_at = time.time()
        self._has_read = True
        if snapshot is not self._knowledge.snapshot:
            self._apply(snapshot)
            await self._send_report(None)
        else:
            self._hosting.reconcile(snapshot)

    def _apply(self, snapshot: Snapshot) -> None:
        """One reference is replaced; whatever is called from now on is called by it."""
        before, self._knowledge.snapshot = self._knowledge.snapshot, snapshot
        self._hosting.reconcile(snapshot)
        self._hosting.release_disabled(before, snapshot)

    async def _report(self) -> None:
        while True:
            await _wait(self._report_now, REPORT_SECONDS)
            self._become_ready()
            snapshot = self._knowledge.snapshot
            if snapshot is not None:
                self._hosting.reconcile(snapshot)
            is_due = time.monotonic() - self._reported_at >= HEARTBEAT_SECONDS
            if self._is_registered and (is_due or self._hosting.rows() != self._reported):
                await self._try("report", lambda: self._send_report(None))
                if is_due:
                    await self._try("peers", self._read_peers)

    def _become_ready(self) -> None:
        """Ready is for good: a version that fails later must not take the others away with it."""
        knowledge = self._knowledge
        if knowledge.is_ready or knowledge.snapshot is None:
            return
        if self._hosting.is_settled(knowledge.snapshot):
            knowledge.is_ready = True
            self.hurry_report()

    async def _send_report(self, stopped_at: datetime | None) -> None:
        rows, alarms = self._hosting.rows(), dict(self._hosting.alarms.rows)
        known = self._reported
        report = self._make_report(stopped_at, rows, known)
        self._reported_at = time.monotonic()
        try:
            instance_id = await self._in_thread(lambda: self._database.report(report))
        except BaseException:
            # Whether it arrived is unknown: the next one says everything.
            self._reported, self._alarmed, self._is_registered = {}, {}, False
            raise
        self._reported, self._alarmed, self._is_registered = rows, alarms, True
        if instance_id != self._knowledge.identity.id:
            self._knowledge.identity = self._knowledge.identity.renamed(instance_id)

    def _make_report(
        self,
        stopped_at: datetime | None,
        rows: dict[str, PlacementRow],
        known: dict[str, PlacementRow],
    ) -> Report:
        knowledge = self._knowledge
        stopped_at = stopped_at or (utc_now() if knowledge.is_stopping else None)
        snapshot = knowledge.snapshot
        return Report(
            id=knowledge.identity.id,
            name=knowledge.identity.name,
            boot=knowledge.boot,
            public_address=self._addresses[0],
            internal_address=self._addresses[1],
            public_key=knowledge.identity.public_key,
            is_ready=knowledge.is_ready and stopped_at is None,
            generation=max(0, snapshot.generation) if snapshot else 0,
            credentials=max(0, snapshot.credentials.number) if snapshot else 0,
            started_at=self._started_at,
            stopped_at=stopped_at,
            changed=tuple(row for key, row in rows.items() if known.get(key) != row),
            gone=tuple(key for key in known if key not in rows),
            alarms=self._new_alarms(),
        )

    def _new_alarms(self) -> tuple[AlarmRow, ...]:
        rows = self._hosting.alarms.rows
        return tuple(row for key, row in rows.items() if self._alarmed.get(key) != row)

    async def _read_peers(self) -> None:
        self._knowledge.peers = await self._in_thread(self._database.peers)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS - time.time() % FLUSH_SECONDS + 0.02)
            if self._is_registered:
                await self._try("flush", self._store_windows)

    async def _store_windows(self) -> None:
        while windows := self._windows.finished():
            name, boot = self._knowledge.identity.name, self._knowledge.boot
            await self._in_thread(partial(self._database.add_windows, name, boot, windows))
            self._windows.stored(len(windows))

    async def _keep(self) -> None:
        """At each change, and now and then so that a start knows how old what it finds is."""
        kept_at = 0.0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            snapshot = self._knowledge.snapshot
            is_confirmed = self._knowledge.confirmed_at > kept_at + KEEP_SECONDS
            if snapshot is None or (snapshot is self._kept and not is_confirmed):
                continue
            kept_at = self._knowledge.confirmed_at
            kept = Kept(snapshot, kept_at, self._knowledge.live_instances())
            try:
                await asyncio.to_thread(self._file.save, kept)
                self._kept = snapshot
            except OSError as error:
                logger.error("snapshot_not_kept", error=str(error))  # noqa: TRY400 - disk full

    async def _listen(self) -> None:
        """Hints only hurry: one that is lost costs a poll."""
        while True:
            client = redis.asyncio.Redis.from_url(self._redis_url, socket_connect_timeout=1)
            try:
                async with client, client.pubsub() as channel:
                    await channel.subscribe(*self._channels)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._poll_now.set()
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(HINT_RETRY_SECONDS)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _try(self, what: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether it worked. Said once when the database goes and once when it is back."""
        try:
            await work()
        except AWAY as error:
            if not self._is_away:
                logger.warning("database_away", during=what, error=str(error))
            self._is_away = True
            return False
        if self._is_away:
            logger.info("database_back")
        self._is_away = False
        return True


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event or the time, whichever is first."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
