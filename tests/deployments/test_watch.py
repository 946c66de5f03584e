"""Which calls the guardrails get to see, and when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.watch import gather_evidence, limits_of
from observability.windows import totals
from tests.deployments.worlds import record_calls
from tests.factories import make_deployment, make_instance, make_placement

pytestmark = pytest.mark.django_db


def seconds(count):
    return timedelta(seconds=count)


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=500_000)


@pytest.fixture
def deployment(v1_is_stable, v1, v2, now):
    """Its candidate got traffic twenty seconds ago."""
    return make_deployment(v2, incumbent=v1, routed_at=now - seconds(20))


def test_windows_of_the_candidate_are_told_apart(deployment, v2, now):
    for ago, calls in ((0, 1), (4, 10), (7, 100), (17, 1000), (30, 10_000)):
        record_calls(v2, now - seconds(ago), calls=calls)
    evidence = gather_evidence(deployment, now)

    assert evidence.fresh.calls == evidence.recent.calls == 11
    assert evidence.earlier.calls == 100
    assert evidence.overall.calls == 1111


def test_the_first_second_of_traffic_counts_whole(deployment, v2, now):
    deployment.routed_at = now - seconds(0.4)
    record_calls(v2, now, calls=7)

    assert gather_evidence(deployment, now).fresh.calls == 7


def test_latency_is_not_judged_in_the_warm_up(deployment, v2, now):
    deployment.routed_at = now - seconds(3)
    record_calls(v2, now - seconds(1), calls=7)
    evidence = gather_evidence(deployment, now)

    assert (evidence.fresh.calls, evidence.recent.calls, evidence.earlier.calls) == (7, 0, 0)


def test_the_incumbent_is_seen_in_the_minute_before(deployment, v1, now):
    for ago, calls in ((5, 1), (25, 10), (79, 100), (90, 1000)):
        record_calls(v1, now - seconds(ago), calls=calls)

    assert gather_evidence(deployment, now).incumbent.calls == 111


def test_other_environments_and_versions_are_not_seen(deployment, v1, v2, now):
    record_calls(v2, now, calls=5, env="production")
    record_calls(v1, now, calls=5)

    assert gather_evidence(deployment, now).fresh.calls == 0


def test_instances_that_broke_for_one_reason_share_a_line(deployment, v2, now):
    for name, detail in (("i-1", "died"), ("i-2", "full disk"), ("i-3", "died")):
        make_placement(make_instance(name), v2, state="failed", detail=detail, updated_at=now)

    found = gather_evidence(deployment, now).broken_placements

    assert found == ("i-1, i-3: died", "i-2: full disk")


def test_a_placement_that_broke_since_the_traffic_is_evidence(deployment, v2, now):
    broken = {"state": "failed", "detail": "died"}
    make_placement(make_instance("i-1"), v2, **broken, updated_at=now)
    make_placement(make_instance("i-2"), v2, **broken, updated_at=now - seconds(60))

    assert gather_evidence(deployment, now).broken_placements == ("i-1: died",)


def test_limits_are_the_strategys_options(deployment):
    deployment.options = {"max_error_percent": 12, "max_failed_tenants": 7}

    assert (limits_of(deployment).max_error_percent, limits_of(deployment).max_failed_tenants) == (
        12,
        7,
    )


def test_windows_of_all_instances_add_up(v2, now):
    record_calls(v2, now, calls=10, failures=2, tenants={"a": (6, 2), "b": (4, 0)}, seconds=0.001)
    record_calls(v2, now, calls=90, failures=1, tenants={"a": (90, 1)}, seconds=0.1)
    found = totals(v2.pk, "qa", now - seconds(1), now + seconds(1))

    assert (found.calls, found.failures, found.error_percent) == (100, 3, 3.0)
    assert found.tenants == {"a": (96, 3), "b": (4, 0)}
    assert found.outcomes == {"ok": 97, "plugin_error": 3}
    assert 0.1 <= found.p99_seconds < 0.13


def test_without_a_window_the_totals_are_zero(v2, now):
    found = totals(v2.pk, "qa", now - seconds(60), now)

    assert (found.calls, found.error_percent, found.p99_seconds) == (0, 0.0, 0.0)
