"""What sends tenants back, and what does not."""

from dataclasses import replace

import pytest

from deployments.guardrails import Evidence, Limits, find_breach, find_failed_tenants
from observability.histogram import record
from observability.totals import WindowTotals

NOTHING = WindowTotals()
QUIET = Evidence(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
LIMITS = Limits()


def seen(calls, failures=0, *, seconds=0.01, tenants=None, **outcomes):
    return WindowTotals(calls, failures, outcomes, {record(seconds): calls}, tenants or {})


def breach(limits=LIMITS, **evidence):
    return find_breach(replace(QUIET, **evidence), limits)


def test_no_calls_are_no_reason():
    assert find_breach(QUIET, LIMITS) == ""


@pytest.mark.parametrize(
    ("calls", "failures", "goes_back"),
    [(19, 19, False), (20, 1, False), (20, 2, True), (1000, 50, False), (1000, 51, True)],
)
def test_the_error_rate_counts_from_twenty_calls(calls, failures, goes_back):
    assert bool(breach(fresh=seen(calls, failures))) is goes_back


def test_slow_traffic_is_judged_by_the_minute():
    assert "within 60 s" in breach(fresh=seen(4, 4), overall=seen(24, 20))


def test_a_version_that_fails_less_than_a_bad_incumbent_may_stay():
    bad = seen(1000, 300)

    assert breach(fresh=seen(100, 25), incumbent=bad) == ""
    assert "limit is 30.0 %" in breach(fresh=seen(100, 40), incumbent=bad)


def test_the_error_limit_is_an_option():
    assert breach(Limits(max_error_percent=50), fresh=seen(100, 40)) == ""


@pytest.mark.parametrize(
    ("outcomes", "goes_back"),
    [
        ({"crashed": 7}, False),
        ({"crashed": 8}, True),
        ({"crashed": 4, "memory_limit": 4}, True),
        ({"timeout": 50}, False),
    ],
)
def test_a_crash_loop_is_eight_ended_processes(outcomes, goes_back):
    assert ("crashed or ran out" in breach(fresh=seen(10_000, **outcomes))) is goes_back


@pytest.mark.parametrize(
    ("before", "earlier", "recent", "goes_back"),
    [
        (0.050, 0.130, 0.130, True),
        (0.050, 0.060, 0.130, False),
        (0.050, 0.130, 0.060, False),
        (0.001, 0.010, 0.010, False),
    ],
    ids=["both windows", "only the last", "only the first", "too small to matter"],
)
def test_a_doubled_p99_in_two_windows_sends_back(before, earlier, recent, goes_back):
    found = breach(
        incumbent=seen(1000, seconds=before),
        earlier=seen(100, seconds=earlier),
        recent=seen(100, seconds=recent),
    )

    assert found.startswith("p99 is") is goes_back


def test_latency_needs_a_hundred_calls_in_every_window():
    slow, fast = seen(100, seconds=1), seen(1000, seconds=0.01)

    assert breach(incumbent=fast, earlier=seen(99, seconds=1), recent=slow) == ""
    assert breach(incumbent=seen(99), earlier=slow, recent=slow) == ""
    assert breach(incumbent=fast, earlier=slow, recent=slow)


def test_a_broken_placement_sends_back():
    assert breach(broken_placements=("i-1: died",)) == "the candidate is broken on i-1: died"


GOOD = {f"good-{number}": (30, 0) for number in range(5)}


def test_a_failed_tenant_among_good_ones_goes_back_alone():
    total = seen(160, 10, tenants=GOOD | {"bad": (10, 10)})
    evidence = replace(QUIET, fresh=total, overall=total)

    assert find_breach(evidence, LIMITS) == ""
    assert find_failed_tenants(evidence) == {"bad"}


@pytest.mark.parametrize("counts", [(9, 9), (10, 9), (100, 0)])
def test_a_tenant_has_failed_after_ten_calls_without_success(counts):
    assert not find_failed_tenants(replace(QUIET, overall=seen(100, tenants={"one": counts})))


def test_three_failed_tenants_send_everybody_back():
    bad = {f"bad-{number}": (10, 10) for number in range(3)}
    total = seen(1_000_030, 30, tenants=GOOD | bad)

    assert breach(fresh=total, overall=total) == "no call succeeded for 3 tenants"


def test_tenants_sent_back_before_count_too():
    bad = {f"bad-{number}": (10, 10) for number in range(2)}

    found = breach(overall=seen(1000, 20, tenants=GOOD | bad), sent_back=frozenset(["gone"]))
    assert found == "no call succeeded for 3 tenants"


def test_a_candidate_that_serves_nobody_goes_back_even_with_one_tenant():
    assert breach(overall=seen(10, 10, tenants={"only": (10, 10)})) == (
        "no call succeeded for 1 tenant"
    )


def test_a_tenant_whom_the_incumbent_failed_as_well_says_nothing():
    always = {"hopeless": (30, 30)}
    evidence = replace(
        QUIET,
        overall=seen(60, 30, tenants={"good": (30, 0)} | always),
        incumbent=seen(1000, 30, tenants=always),
    )

    assert find_breach(evidence, LIMITS) == ""
    assert find_failed_tenants(evidence) == frozenset()
