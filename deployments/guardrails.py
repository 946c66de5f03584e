"""When a candidate must go at once. Pure: evidence in, a reason or nothing out.

Tier 1 of DESIGN section 3: coarse bounds over seconds, for what is plainly broken.
"""

from dataclasses import dataclass

from observability.totals import WindowTotals

WINDOW_SECONDS = 5
OVERALL_SECONDS = 60
# A candidate's first calls meet new processes and caches, which says nothing about its speed.
WARM_UP_SECONDS = 5
MIN_CALLS = 20
MIN_CALLS_FOR_LATENCY = 100
MIN_TENANT_CALLS = 10
MAX_CRASHES = 8
# Below this a doubled p99 is the machine's noise, not the version's.
MIN_LATENCY_DIFFERENCE_SECONDS = 0.02
CRASHES = ("crashed", "memory_limit")


@dataclass(frozen=True, slots=True)
class Limits:
    """The options of the strategy that bound the candidate."""

    max_error_percent: float = 5.0
    max_latency_ratio: float = 2.0
    max_failed_tenants: int = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """``recent`` and ``earlier`` are the candidate's last two windows without its warm-up;
    ``fresh`` is its last window with it, ``overall`` the last minute; ``incumbent`` is the
    incumbent's last minute before the candidate got traffic, and since.
    """

    fresh: WindowTotals
    recent: WindowTotals
    earlier: WindowTotals
    overall: WindowTotals
    incumbent: WindowTotals
    broken_placements: tuple[str, ...] = ()
    sent_back: frozenset[str] = frozenset()


def find_breach(evidence: Evidence, limits: Limits) -> str:
    """Why every tenant must go back; empty while nothing is plainly broken."""
    return (
        _broken_placement(evidence)
        or _crash_loop(evidence)
        or _errors(evidence, limits)
        or _failed_tenants(evidence, limits)
        or _latency(evidence, limits)
    )


def find_failed_tenants(evidence: Evidence) -> frozenset[str]:
    """Tenants without one successful call on the candidate who had some on the incumbent, or none
    at all: whom both versions fail has nothing to go back to."""
    return frozenset(
        tenant
        for tenant, (calls, failures) in evidence.overall.tenants.items()
        if calls >= MIN_TENANT_CALLS
        and calls == failures
        and not _always_failed(evidence.incumbent, tenant)
    )


def _always_failed(incumbent: WindowTotals, tenant: str) -> bool:
    calls, failures = incumbent.tenants.get(tenant, (0, 0))
    return calls > 0 and calls == failures


def _broken_placement(evidence: Evidence) -> str:
    if not evidence.broken_placements:
        return ""
    return f"the candidate is broken on {'; '.join(evidence.broken_placements)}"


def _crash_loop(evidence: Evidence) -> str:
    crashes = sum(evidence.fresh.outcomes.get(code, 0) for code in CRASHES)
    if crashes < MAX_CRASHES:
        return ""
    return f"{crashes} processes crashed or ran out of memory within {WINDOW_SECONDS} s"


def _errors(evidence: Evidence, limits: Limits) -> str:
    """The incumbent's own errors count as the world's: a bad stable version can be replaced."""
    limit = max(limits.max_error_percent, evidence.incumbent.error_percent)
    for seen, seconds in ((evidence.fresh, WINDOW_SECONDS), (evidence.overall, OVERALL_SECONDS)):
        if seen.calls >= MIN_CALLS and seen.error_percent > limit:
            return (
                f"{seen.failures} of {seen.calls} calls failed within {seconds} s "
                f"({seen.error_percent:.1f} %; the limit is {limit:.1f} %)"
            )
    return ""


def _failed_tenants(evidence: Evidence, limits: Limits) -> str:
    failed = find_failed_tenants(evidence) | evidence.sent_back
    if len(failed) < limits.max_failed_tenants:
        return ""
    return (
        f"{len(failed)} tenants had no successful call (the limit is {limits.max_failed_tenants})"
    )


def _latency(evidence: Evidence, limits: Limits) -> str:
    """Two windows in a row, so that one hiccup of the machine sends nobody back."""
    before = evidence.incumbent
    windows = (evidence.earlier, evidence.recent)
    if min(seen.calls for seen in (before, *windows)) < MIN_CALLS_FOR_LATENCY:
        return ""
    limit = max(
        before.p99_seconds * limits.max_latency_ratio,
        before.p99_seconds + MIN_LATENCY_DIFFERENCE_SECONDS,
    )
    if any(seen.p99_seconds <= limit for seen in windows):
        return ""
    return (
        f"p99 is {evidence.recent.p99_seconds * 1000:.0f} ms "
        f"(the incumbent's was {before.p99_seconds * 1000:.0f} ms)"
    )
