"""What call windows add up to, as plain values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from observability.histogram import quantile


@dataclass(frozen=True, slots=True)
class WindowTotals:
    """Calls of one version over a time: ``tenants`` maps an id to its calls and failures."""

    calls: int = 0
    failures: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    histogram: Mapping[int, int] = field(default_factory=dict)
    tenants: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def error_percent(self) -> float:
        return 100 * self.failures / self.calls if self.calls else 0.0

    @property
    def p99_seconds(self) -> float:
        return quantile(self.histogram, 0.99)

    def without(self, tenants: Collection[str]) -> "WindowTotals":
        """The counts without these tenants' calls; outcomes and latencies are not told apart."""
        theirs = [self.tenants[tenant] for tenant in tenants if tenant in self.tenants]
        return replace(
            self,
            calls=self.calls - sum(calls for calls, _ in theirs),
            failures=self.failures - sum(failures for _, failures in theirs),
            tenants={t: counts for t, counts in self.tenants.items() if t not in tenants},
        )


def add_up(parts: Iterable[WindowTotals]) -> WindowTotals:
    calls = failures = 0
    outcomes: dict[str, int] = {}
    histogram: dict[int, int] = {}
    tenants: dict[str, tuple[int, int]] = {}
    for part in parts:
        calls += part.calls
        failures += part.failures
        for code, count in part.outcomes.items():
            outcomes[code] = outcomes.get(code, 0) + count
        for bucket, count in part.histogram.items():
            histogram[bucket] = histogram.get(bucket, 0) + count
        for tenant, (tenant_calls, tenant_failures) in part.tenants.items():
            before = tenants.get(tenant, (0, 0))
            tenants[tenant] = (before[0] + tenant_calls, before[1] + tenant_failures)
    return WindowTotals(calls, failures, outcomes, histogram, tenants)
