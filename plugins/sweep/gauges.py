"""What the last sweep found, for Prometheus: read from the cache when it asks, in any process."""

from collections.abc import Iterator

import redis
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from plugins.sweep.findings import Problem
from plugins.sweep.nightly import last_sweep


class SweepCollector(Collector):
    def describe(self) -> list[GaugeMetricFamily]:
        """Empty, so that registering asks the cache nothing."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            last = last_sweep()
        except redis.RedisError:
            return
        if last is None:
            return
        found = GaugeMetricFamily(
            "hotswap_storage_findings",
            "Objects that the last integrity sweep found missing, altered or orphaned.",
            labels=["problem"],
        )
        for problem in Problem:
            found.add_metric([problem], last.count(problem))
        yield found
        yield GaugeMetricFamily(
            "hotswap_storage_swept_timestamp_seconds",
            "When the last integrity sweep of the artifact storage came to its end.",
            value=last.finished_at,
        )


def register_collector() -> None:
    """Once in a process."""
    REGISTRY.register(SweepCollector())
