"""What an instance reports, as its own role."""

from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from deployments.instance.counters import Counters
from deployments.instance.database import Database, PlacementRow, Report, utc_now
from deployments.instance.windows import Windows
from deployments.models import Instance, Placement
from observability.models import CallWindow
from sandbox.engine.result import OutcomeCode
from tests.factories import make_instance, make_placement, make_plugin, make_version
from tests.instance import facts

BOOT = str(uuid4())


@pytest.fixture
def database(transactional_db, platform_scope, database_urls):
    found = Database(conninfo_to_dict(database_urls["instance"]), "qa")
    yield found
    found.close()


def report(**fields):
    defaults = {
        "id": str(uuid4()),
        "name": "i-1",
        "boot": str(uuid4()),
        "public_address": "http://127.0.0.1:1",
        "internal_address": "unix:/x",
        "public_key": "key",
        "is_ready": True,
        "generation": 4,
        "credentials": 2,
        "started_at": utc_now(),
        "stopped_at": None,
    }
    return Report(**defaults | fields)


def test_an_instance_registers_once_and_keeps_its_row(database):
    first = report()
    assert database.report(first) == first.id
    again = replace(first, id=str(uuid4()), boot=str(uuid4()), generation=9)
    assert database.report(again) == first.id
    row = Instance.objects.get()
    assert (row.acked_generation, str(row.boot), row.is_ready) == (9, again.boot, True)


def test_a_cordon_is_not_the_instances_to_lift(database):
    first = report()
    database.report(first)
    Instance.objects.update(is_cordoned=True)
    database.report(first)
    assert Instance.objects.get().is_cordoned


def test_placements_are_written_and_taken_back(database):
    version = make_version(make_plugin())
    place = PlacementRow(str(version.pk), "ready", "x" * 900, 0.2, {"tier": "bounded"}, None, 1, 2)
    first = report(changed=(place,))
    database.report(first)
    row = Placement.objects.get()
    assert (row.state, len(row.detail), row.attestation) == ("ready", 500, {"tier": "bounded"})
    database.report(replace(first, changed=(replace(place, state="draining"),)))
    assert Placement.objects.get().state == "draining"
    database.report(replace(first, changed=(), gone=(str(version.pk),)))
    assert not Placement.objects.exists()


def test_placements_of_an_earlier_boot_are_forgotten(database):
    version = make_version(make_plugin())
    first = report(changed=(PlacementRow(str(version.pk), "ready"),))
    database.report(first)
    database.report(replace(first, boot=str(uuid4()), changed=()))
    assert not Placement.objects.exists()


def test_a_version_that_the_database_does_not_know_stops_no_report(database):
    database.report(report(changed=(PlacementRow(str(uuid4()), "ready"),)))
    assert Instance.objects.get().acked_generation == 4
    assert not Placement.objects.exists()


def test_peers_are_the_live_instances_with_what_they_have_ready(database):
    version = make_version(make_plugin())
    live = make_instance("i-2", public_key="key")
    make_placement(live, version)
    make_placement(live, make_version(version.plugin, "1.1.0"), state="starting")
    make_instance("i-3", stopped_at=utc_now())
    make_instance("i-4", is_cordoned=True)
    make_instance("i-5", env="staging")
    (peer,) = database.peers()
    assert (peer.name, peer.versions) == ("i-2", frozenset({str(version.pk)}))


def test_a_window_written_twice_counts_once(database):
    windows = Windows(Counters())
    fact = replace(facts.version(str(uuid4())), plugin_id=str(uuid4()))
    windows.count(fact, "tenant", OutcomeCode.OK, 0.01)
    windows.count(fact, "tenant", OutcomeCode.TIMEOUT, 1.0)
    windows.close()
    rows = windows.finished()
    for _ in range(2):
        database.add_windows("i-1", BOOT, rows)
    stored = CallWindow.objects.all()
    assert sum(row.calls for row in stored) == 2
    assert sum(row.failures for row in stored) == 1
    windows.stored(len(rows))
    assert windows.finished() == []


def test_an_instance_may_not_read_tables_or_change_what_is_not_its_own(database, connect_as):
    connection = connect_as("instance")
    for statement in (
        "SELECT * FROM tenant_secrets",
        "SELECT * FROM api_keys",
        "UPDATE instances SET is_cordoned = false",
        "UPDATE routes SET is_killed = false",
        "DELETE FROM call_windows",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_lost_connection_is_made_again(database, connect_as):
    database.report(report())
    connect_as("superuser").execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'hotswap instance' AND datname = current_database()"
    )
    with pytest.raises(psycopg.OperationalError):
        database.report(report())
    database.report(report(generation=11))
    assert Instance.objects.get().acked_generation == 11
