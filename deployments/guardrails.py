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
    """Tenants without one successful call on the candidate, except those whom the incumbent failed
    as well: they have nothing to go back to.
    """
    tenants = evidence.overall.tenants
    return frozenset(t for t in _suspects(evidence) if tenants[t][0] >= MIN_TENANT_CALLS)


def _suspects(evidence: Evidence) -> frozenset[str]:
    """Tenants without a successful call, however few their calls are yet."""
    failing = {t for t, (calls, failures) in evidence.overall.tenants.items() if calls == failures}
    return frozenset(failing - _failed_by_both(evidence))


def _failed_by_both(evidence: Evidence) -> frozenset[str]:
    before = evidence.incumbent.tenants
    return frozenset(t for t, (calls, failures) in before.items() if 0 < calls == failures)


def _is_about_single_tenants(evidence: Evidence, limits: Limits, failed: frozenset[str]) -> bool:
    """Whether sending these back alone would do: they are few, and the candidate serves others."""
    return len(failed) < min(limits.max_failed_tenants, len(evidence.overall.tenants))


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
    suspects = _suspects(evidence) | evidence.sent_back
    apart = suspects if _is_about_single_tenants(evidence, limits, suspects) else frozenset()
    for seen, seconds in ((evidence.fresh, WINDOW_SECONDS), (evidence.overall, OVERALL_SECONDS)):
        judged = seen.without(apart | _failed_by_both(evidence))
        if judged.calls >= MIN_CALLS and judged.error_percent > limit:
            return (
                f"{judged.failures} of {judged.calls} calls failed within {seconds} s "
                f"({judged.error_percent:.1f} %; the limit is {limit:.1f} %)"
            )
    return ""


def _failed_tenants(evidence: Evidence, limits: Limits) -> str:
    failed = find_failed_tenants(evidence) | evidence.sent_back
    if not failed or _is_about_single_tenants(evidence, limits, failed):
        return ""
    return f"no call succeeded for {len(failed)} tenant{'s' if len(failed) > 1 else ''}"


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
