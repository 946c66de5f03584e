"""The direct strategy on real rows: what is routed when, and how it ends."""

import pytest
from django.db import OperationalError

from deployments.models import Admission, Hold, PlacementState, Status
from tests.deployments.worlds import FINE, World, events_of, record_calls, route_of, steps_of
from tests.factories import environment, make_version, minimal_manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World("i-1", "i-2")


def test_the_first_version_goes_straight_to_stable(world, v1, deploy):
    deployment = world.run(deploy(v1))

    assert deployment.status == Status.COMPLETED
    assert route_of(v1.plugin).stable == v1
    assert [kind for kind, *_ in steps_of(deployment)] == ["load", "probe", "promote"]


def test_every_tenant_moves_to_the_candidate_and_the_incumbent_stays_warm(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    deployment = world.run(deploy(v2))

    route = route_of(v1.plugin)
    assert deployment.status == Status.COMPLETED
    assert (route.stable, route.candidate, route.deployment, route.warm) == (v2, None, None, v1)
    assert Admission.objects.filter(deployment=deployment, closed_at__isnull=False).count() == 5
    assert {status for _, status, _ in steps_of(deployment)} == {"done"}


def test_tenants_are_routed_only_after_load_and_probe(world, v1, v2, tenants, v1_is_stable, deploy):
    deployment = deploy(v2)
    world.run(deployment, lambda d: d.routed_at)

    done = [kind for kind, status, _ in steps_of(deployment) if status == "done"]
    assert done[:2] == ["load", "probe"]
    assert Admission.objects.filter(deployment=deployment, closed_at__isnull=True).count() == 5


def test_a_candidate_that_does_not_load_never_moves_the_routing(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    world.failing = {"i-2": "ImportError: No module named 'nothing'"}
    deployment = world.run(deploy(v2))

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason == "load failed on i-2: ImportError: No module named 'nothing'"
    assert deployment.routed_at is None
    assert not Admission.objects.exists()
    assert (route_of(v1.plugin).stable, route_of(v1.plugin).candidate) == (v1, None)


def test_a_candidate_whose_examples_fail_never_moves_the_routing(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    failure = {"method": "echo", "example": 0, "message": "answered 2, not 1"}
    world.probe = {"ok": False, "failures": [failure]}
    deployment = world.run(deploy(v2))

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason == "probe failed on i-1: echo: answered 2, not 1"
    assert not Admission.objects.exists()


def test_a_failing_candidate_is_sent_back_by_itself(world, v1, v2, tenants, v1_is_stable, deploy):
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")
    record_calls(v2, world.now(), calls=100, failures=30)
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason.startswith("30 of 100 calls failed within 5 s (30.0 %")
    assert not Admission.objects.filter(closed_at__isnull=True).exists()
    assert (route_of(v1.plugin).stable, route_of(v1.plugin).candidate) == (v1, None)


def test_a_candidate_that_cannot_be_judged_does_not_keep_its_traffic(
    world, v1, v2, tenants, v1_is_stable, deploy, monkeypatch
):
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")

    def break_down(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("deployments.guardrails.find_breach", break_down)
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason.endswith("cannot judge it: ZeroDivisionError: division by zero")


def test_without_the_database_the_judging_is_tried_again(
    world, v1, v2, tenants, v1_is_stable, deploy, monkeypatch
):
    deployment = world.run_to(deploy(v2, bake_seconds=2), "hold")

    def lose_connection(*_):
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr("deployments.guardrails.find_breach", lose_connection)
        world.run(deployment)
    world.sleep(60)
    world.run(deployment)

    assert deployment.status == Status.COMPLETED


def test_a_candidate_with_traffic_is_looked_at_every_second(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    deployment = world.run_to(deploy(v2, bake_seconds=600), "hold")

    assert (deployment.wake_at - world.now()).total_seconds() <= 1


def test_a_tenant_without_a_successful_call_is_sent_back_alone(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    deployment = world.run_to(deploy(v2), "hold")
    seen = {str(tenant.pk): (10, 0) for tenant in tenants} | {str(tenants[0].pk): (10, 10)}
    record_calls(v2, world.now(), calls=50, failures=10, tenants=seen)
    world.run(deployment)

    hold = Hold.objects.get(cleared_at__isnull=True)
    assert deployment.status == Status.COMPLETED
    assert (hold.tenant, hold.version) == (tenants[0], v1)
    assert hold.reason == "no call succeeded on echo 2.0.0"


def test_tenants_whose_config_does_not_fit_stay_on_the_incumbent(
    world, v1, tenants, v1_is_stable, deploy
):
    schema = {"type": "object", "required": ["rate"], "properties": {"rate": {"type": "number"}}}
    v2 = make_version(
        v1.plugin, "2.0.0", manifest=minimal_manifest("echo", "2.0.0", config={"schema": schema})
    )
    tenants[0].installations.update(config={"rate": 7})
    deployment = world.run(deploy(v2))

    assert deployment.status == Status.COMPLETED
    assert [a.tenant for a in Admission.objects.all()] == [tenants[0]]
    assert Hold.objects.filter(version=v1, cleared_at__isnull=True).count() == 4
    assert '"rate" is a required property' in Hold.objects.first().reason


def test_a_hold_ends_when_a_later_candidate_fits(world, v1, v2, tenants, v1_is_stable, deploy):
    v3 = make_version(v1.plugin, "3.0.0")
    first = world.run_to(deploy(v2), "hold")
    seen = {str(tenant.pk): (10, 0) for tenant in tenants} | {str(tenants[0].pk): (10, 10)}
    record_calls(v2, world.now(), calls=50, failures=10, tenants=seen)
    world.run(first)
    assert Hold.objects.filter(cleared_at__isnull=True).count() == 1
    world.run(deploy(v3))

    assert not Hold.objects.filter(cleared_at__isnull=True).exists()


def test_pinned_tenants_are_left_alone(world, v1, v2, tenants, v1_is_stable, deploy):
    tenants[0].installations.update(pinned_version=v1, pin_reason="an audit")
    deployment = world.run(deploy(v2))

    assert tenants[0].pk not in Admission.objects.values_list("tenant_id", flat=True)
    assert deployment.status == Status.COMPLETED


def test_an_instance_that_falls_silent_is_excused_and_that_is_recorded(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    world.probe = None
    deployment = world.run_to(deploy(v2), "probe")
    world.dead, world.probe = {"i-2"}, FINE
    world.sleep(31)
    world.run(deployment)

    assert deployment.status == Status.COMPLETED
    assert events_of(deployment).count("instance_excused") == 1


def test_without_progress_for_ten_minutes_the_deployment_goes_back(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    world.deaf = {"i-2"}
    deployment = world.run_to(deploy(v2), "load")
    world.sleep(601)
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason.startswith("no progress within 600 s")


def test_nobody_is_sent_back_to_a_version_that_is_not_ready(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")
    follow = world.follow

    def follow_without_incumbent():
        follow()
        v1.placements.update(state=PlacementState.STARTING)

    world.follow = follow_without_incumbent
    record_calls(v2, world.now(), calls=100, failures=100)
    for _ in range(5):
        world.tick(deployment)
    assert Admission.objects.filter(closed_at__isnull=True).count() == 5
    world.follow = follow

    assert world.run(deployment).status == Status.ROLLED_BACK


def test_a_withdrawn_candidate_is_sent_back(world, v1, v2, tenants, v1_is_stable, deploy):
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")
    type(v2).objects.filter(pk=v2.pk).update(status="revoked")
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert deployment.reason == "echo 2.0.0 is revoked"


def test_the_route_carries_a_new_generation_at_every_change(
    world, v1, v2, tenants, v1_is_stable, deploy
):
    world.run(deploy(v2))

    assert route_of(v1.plugin).generation == environment().generation
    generations = set(Admission.objects.values_list("generation", flat=True))
    assert generations and max(generations) <= environment().generation
