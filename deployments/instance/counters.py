"""Totals of calls since the start, for /metrics. Plain dictionaries: they may not cost a call."""

from observability.histogram import BOUNDS
from sandbox.engine.result import OutcomeCode


class Counters:
    """Totals since the start, by plugin and version."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str, OutcomeCode], int] = {}
        self.latencies: dict[tuple[str, str], list[int]] = {}
        self.seconds: dict[tuple[str, str], float] = {}
        self.rejected: dict[str, int] = {}

    def count(
        self, plugin: str, version: str, code: OutcomeCode, bucket: int, seconds: float
    ) -> None:
        key = (plugin, version, code)
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
        pair = (plugin, version)
        counts = self.latencies.get(pair)
        if counts is None:
            counts = self.latencies[pair] = [0] * (len(BOUNDS) + 1)
            self.seconds[pair] = 0.0
        counts[bucket] += 1
        self.seconds[pair] += seconds

    def reject(self, plugin: str) -> None:
        self.rejected[plugin] = self.rejected.get(plugin, 0) + 1
