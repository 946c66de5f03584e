"""The main job against real processes: swap, refuse, roll back, with every call counted."""

import time

from deployments.models import Admission
from tests.end_to_end.world import CRASHES_AT_IMPORT, FAILS_SOMETIMES
from tests.waiting import wait_until


def failed(records):
    return [record for record in records if not record.ok]


def served_by(records, version):
    return [record for record in records if record.version == version]


def test_a_swap_under_load_loses_and_repeats_no_call(running):
    second = running.publish("1.1.0")
    with running.load() as load:
        wait_until(lambda: len(load.records()) > 50, what="calls before the swap")
        deployment = running.run(second)
        enough = len(load.records()) + 50
        wait_until(lambda: len(load.records()) > enough, what="calls after the swap")
        records = load.stop()

    assert deployment.status == "completed"
    assert failed(records) == []
    assert len({record.call for record in records}) == len(records)
    assert {record.version for record in records} == {"1.0.0", "1.1.0"}


def test_each_tenant_changes_its_version_once(running):
    second = running.publish("1.1.0")
    with running.load() as load:
        running.run(second)
        records = load.stop()

    for tenant in running.keys:
        own = sorted((r for r in records if r.tenant == tenant), key=lambda r: r.end)
        last_old = max((r.start for r in own if r.version == "1.0.0"), default=0)
        first_new = min((r.end for r in own if r.version == "1.1.0"), default=time.time())
        assert last_old <= first_new + 1


def test_a_version_that_crashes_at_import_never_gets_a_call(running):
    broken = running.publish("1.3.0", CRASHES_AT_IMPORT)
    with running.load() as load:
        deployment = running.run(broken)
        records = load.stop()

    assert deployment.status == "rolled_back"
    assert "cannot be imported" in deployment.reason
    assert deployment.routed_at is None
    assert not Admission.objects.filter(deployment=deployment).exists()
    assert failed(records) == []
    assert running.stable() == "1.0.0"


def test_a_version_that_fails_three_calls_in_ten_is_taken_back(running):
    failing = running.publish("1.2.0", FAILS_SOMETIMES)
    with running.load() as load:
        deployment = running.run(failing, bake_seconds=60)
        gone = time.time()
        enough = len(load.records()) + 100
        wait_until(lambda: len(load.records()) > enough, what="calls after the rollback")
        records = load.stop()

    assert deployment.status == "rolled_back"
    assert "calls failed" in deployment.reason
    assert served_by(records, "1.2.0")
    assert all(record.ok for record in served_by(records, "1.0.0"))
    assert {record.version for record in records if record.start > gone} == {"1.0.0"}


def test_going_back_after_success_is_a_new_deployment(running):
    from deployments.services import rollback_deployment  # beside the other services it shadows

    done = running.run(running.publish("1.1.0"))
    back = running.finish(rollback_deployment(deployment=done, by=running.carol))

    assert (back.kind, back.status) == ("rollback", "completed")
    assert running.stable() == "1.0.0"
