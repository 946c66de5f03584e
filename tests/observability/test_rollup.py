"""Hours made of seconds: exact, however often and however late, and nothing is kept for ever."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from hotswap.lib.database import scope_all
from observability.models import CallHour, CallWindow, TenantHour
from observability.rollup import DELETED_AT_ONCE, forget, roll_up
from observability.tasks import roll_up_calls
from observability.windows import tenant_rates

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 7, tzinfo=UTC)
PLUGIN, VERSION, ACME, GLOBEX = (uuid4() for _ in range(4))


@pytest.fixture(autouse=True)
def _scope_of_the_worker():
    with scope_all():
        yield


def window(at, *, instance="i-1", version=VERSION, env="qa", **tenants):
    """Calls of acme and globex, as (calls, failures), in one second at one instance."""
    ids = {"acme": ACME, "globex": GLOBEX}
    pairs = {str(ids[name]): list(pair) for name, pair in tenants.items()}
    calls, failures = (sum(pair[n] for pair in pairs.values()) for n in (0, 1))
    return CallWindow.objects.create(
        instance=instance,
        boot=uuid4(),
        environment=env,
        plugin_id=PLUGIN,
        version_id=version,
        second=at,
        calls=calls,
        failures=failures,
        outcomes={"ok": calls - failures, "plugin_error": failures},
        latencies={"3": calls},
        tenants=pairs,
    )


def ago(**how_long):
    return NOW - timedelta(**how_long)


def test_seconds_of_all_instances_add_up_to_their_hour():
    window(ago(minutes=30), acme=(10, 1))
    window(ago(minutes=30), instance="i-2", acme=(5, 0), globex=(1, 1))
    window(ago(minutes=20), globex=(2, 0))

    roll_up(NOW)

    hour = CallHour.objects.get()
    assert (hour.hour, hour.calls, hour.failures) == (ago(minutes=67), 18, 2)
    assert (hour.outcomes, hour.latencies) == ({"ok": 16, "plugin_error": 2}, {"3": 18})
    rows = TenantHour.objects.values_list("tenant_id", "calls", "failures")
    assert set(rows) == {(ACME, 15, 1), (GLOBEX, 3, 1)}


def test_versions_environments_and_hours_are_told_apart():
    for at, more in ((65, {}), (70, {}), (65, {"env": "production"}), (65, {"version": uuid4()})):
        window(ago(minutes=at), acme=(1, 0), **more)

    roll_up(NOW)

    assert CallHour.objects.count() == 4 == TenantHour.objects.count()


def test_the_running_hour_waits():
    window(ago(minutes=2), acme=(1, 0))

    roll_up(NOW)

    assert not CallHour.objects.exists()


def test_what_arrives_late_is_added_and_twice_is_once():
    window(ago(hours=2), acme=(1, 0))
    roll_up(NOW)
    window(ago(hours=2), instance="i-2", acme=(2, 1))

    roll_up(NOW)
    roll_up(NOW)

    assert TenantHour.objects.values_list("calls", "failures").get() == (3, 1)


def test_seconds_go_after_a_day_and_hours_after_longer():
    for age in (timedelta(hours=25), timedelta(hours=27)):
        window(NOW - age, acme=(1, 0))
    ids = {"environment": "qa", "plugin_id": PLUGIN, "version_id": VERSION}
    counts = {"calls": 1, "failures": 0}
    for days in (29, 31):
        TenantHour.objects.create(hour=ago(days=days), tenant_id=ACME, **ids, **counts)
    for days in (399, 401):
        CallHour.objects.create(hour=ago(days=days), outcomes={}, latencies={}, **ids, **counts)

    assert forget(NOW) == 3
    assert CallWindow.objects.get().second == ago(hours=25)
    assert TenantHour.objects.get().hour == ago(days=29)
    assert CallHour.objects.get().hour == ago(days=399)


def test_more_than_a_batch_is_forgotten(monkeypatch):
    monkeypatch.setattr("observability.rollup.DELETED_AT_ONCE", 2)
    for second in range(5):
        window(ago(hours=30, seconds=second), acme=(1, 0))

    assert forget(NOW) == 5
    assert DELETED_AT_ONCE > 2


def test_the_worker_does_both():
    now = datetime.now(UTC)
    window(now - timedelta(hours=2), acme=(1, 0))
    window(now - timedelta(hours=30), acme=(1, 0))

    roll_up_calls()

    assert (TenantHour.objects.count(), CallWindow.objects.count()) == (1, 1)


def test_rates_of_days_are_hours_and_the_seconds_of_the_last_two():
    for at in (ago(days=3), ago(hours=2), ago(minutes=40), ago(minutes=1)):
        window(at, acme=(10, 1))
        roll_up(at + timedelta(hours=1, minutes=7))
    window(ago(minutes=1), instance="i-2", globex=(1, 0))

    rates = tenant_rates([VERSION], "qa", ago(days=7), NOW)

    assert rates == {str(ACME): (40, 4), str(GLOBEX): (1, 0)}


def test_an_hour_that_is_not_summed_up_yet_is_not_missed():
    window(ago(minutes=20), acme=(10, 1))

    assert tenant_rates([VERSION], "qa", ago(days=1), NOW) == {str(ACME): (10, 1)}
