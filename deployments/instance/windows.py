"""Counts calls in memory: per version and second for the database, in total for /metrics."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments.instance.counters import Counters
from deployments.instance.facts import VersionFact
from observability.histogram import record
from sandbox.engine.result import OutcomeCode

# The plugin's own fault, as guardrails count it. Not: no room, too many calls, being taken away.
FAILURES = frozenset(
    {
        OutcomeCode.PLUGIN_ERROR,
        OutcomeCode.TIMEOUT,
        OutcomeCode.CPU_LIMIT,
        OutcomeCode.MEMORY_LIMIT,
        OutcomeCode.OUTPUT_LIMIT,
        OutcomeCode.PROTOCOL_ERROR,
        OutcomeCode.CRASHED,
        OutcomeCode.EGRESS_DENIED,
    }
)
# An hour of twenty busy versions; beyond it the oldest seconds are lost, and that is logged.
MAX_KEPT = 72_000


@dataclass(slots=True)
class Window:
    """The calls of one version in one second."""

    plugin_id: str
    version_id: str
    second: int
    calls: int = 0
    failures: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    latencies: dict[int, int] = field(default_factory=dict)
    tenants: dict[str, list[int]] = field(default_factory=dict)

    def count(self, tenant_id: str, code: OutcomeCode, bucket: int) -> None:
        failed = code in FAILURES
        self.calls += 1
        self.failures += failed
        self.outcomes[code] = self.outcomes.get(code, 0) + 1
        self.latencies[bucket] = self.latencies.get(bucket, 0) + 1
        pair = self.tenants.get(tenant_id)
        if pair is None:
            self.tenants[tenant_id] = [1, int(failed)]
        else:
            pair[0] += 1
            pair[1] += failed

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.second, UTC)


class Windows:
    """Seconds that are over are handed out until somebody says that they are stored.

    A second is over for good: its row is written once, and writing it again changes nothing.
    """

    def __init__(self, counters: Counters) -> None:
        self.dropped = 0
        self._counters = counters
        self._second = int(time.time())
        self._open: dict[str, Window] = {}
        self._closed: deque[Window] = deque()

    def count(
        self, version: VersionFact, tenant_id: str, code: OutcomeCode, seconds: float
    ) -> None:
        """A call ended now, after that many seconds."""
        bucket = record(seconds)
        self._counters.count(version.plugin, version.version, code, bucket, seconds)
        now = int(time.time())
        if now != self._second:
            self._close(now)
        window = self._open.get(version.id)
        if window is None:
            window = Window(version.plugin_id, version.id, self._second)
            self._open[version.id] = window
        window.count(tenant_id, code, bucket)

    def reject(self, plugin: str) -> None:
        """A call was over its quota; no version answers for that."""
        self._counters.reject(plugin)

    def finished(self, at_most: int = 2000) -> list[Window]:
        """The oldest seconds that are over and not stored yet."""
        now = int(time.time())
        if now != self._second:
            self._close(now)
        return [self._closed[index] for index in range(min(at_most, len(self._closed)))]

    def stored(self, count: int) -> None:
        """That many of the oldest are in the database."""
        for _ in range(min(count, len(self._closed))):
            self._closed.popleft()

    def close(self) -> None:
        """End the running second: no call will come any more."""
        self._close(self._second + 1)

    def _close(self, now: int) -> None:
        # A clock that was put back must not open a second that is stored already.
        if now < self._second:
            return
        self._closed.extend(self._open.values())
        self._open = {}
        self._second = now
        while len(self._closed) > MAX_KEPT:
            self._closed.popleft()
            self.dropped += 1
