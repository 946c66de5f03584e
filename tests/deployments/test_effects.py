"""The effects on real rows when workers die between an effect and its note, and at scale."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments import route_changes
from deployments.admissions import admit
from deployments.lease import LeaseLostError, claim
from deployments.models import Admission, Hold, Status
from plugins.generation import routable_change
from tenants.models import Tenant, TenantPluginConfig
from tests.deployments.worlds import World, current_kind, events_of, record_calls, route_of
from tests.factories import environment, make_deployment, make_tenant

pytestmark = pytest.mark.django_db
PLAN = ("load", "probe", "route", "hold", "promote", "unload")


class MortalWorld(World):
    """Its worker dies once, after the effect of one kind of step and before that is noted."""

    dies_after = None

    def perform(self, step, scene):
        outcome = super().perform(step, scene)
        if scene.row.kind == self.dies_after:
            self.dies_after = None
            raise SystemExit
        return outcome


def run_through_death(world, deployment):
    with pytest.raises(SystemExit):
        world.run(deployment)
    world.sleep(11)
    return world.run(deployment)


@pytest.mark.parametrize("kind", PLAN)
def test_a_death_after_an_effect_ends_in_the_same_state(
    kind, v1_is_stable, v1, v2, tenants, deploy
):
    world = MortalWorld("i-1")
    world.dies_after = kind
    deployment = run_through_death(world, deploy(v2))

    route = route_of(v1.plugin)
    assert deployment.status == Status.COMPLETED
    assert (route.stable, route.candidate, route.warm) == (v2, None, v1)
    assert Admission.objects.filter(closed_at__isnull=False).count() == 5
    assert events_of(deployment).count("step_done") == len(PLAN)
    assert events_of(deployment).count("admitted") == 1


@pytest.mark.parametrize("kind", ["route", "unload"])
def test_a_death_while_going_back_ends_in_the_same_state(
    kind, v1_is_stable, v1, v2, tenants, deploy
):
    world = MortalWorld("i-1")
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")
    record_calls(v2, world.now(), calls=100, failures=100)
    world.dies_after = kind
    run_through_death(world, deployment)

    route = route_of(v1.plugin)
    assert deployment.status == Status.ROLLED_BACK
    assert (route.stable, route.candidate, route.deployment) == (v1, None, None)
    assert not Admission.objects.filter(closed_at__isnull=True).exists()


@pytest.mark.parametrize(
    "change",
    [
        route_changes.want_candidate,
        lambda d: route_changes.admit_share(d, d.steps.get(position=2), 100),
        route_changes.promote,
        lambda d: route_changes.keep_incumbent_warm(d, 600),
    ],
    ids=["candidate", "admissions", "promotion", "warm"],
)
def test_a_worker_that_lost_its_lease_moves_no_tenant(
    change, v1_is_stable, v1, v2, tenants, deploy
):
    deployment, now = deploy(v2), timezone.now()
    slow = claim(deployment.pk, now)
    claim(deployment.pk, now + timedelta(seconds=11))
    before = environment().generation

    with pytest.raises(LeaseLostError):
        change(slow)
    route = route_of(v1.plugin)
    assert (route.stable, route.candidate, environment().generation) == (v1, None, before)
    assert not Admission.objects.exists()


def test_a_kill_switch_thrown_during_a_deployment_stays(v1_is_stable, v2, tenants, deploy):
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    type(v1_is_stable).objects.update(is_killed=True)
    world.run(deployment)

    assert route_of(v2.plugin).is_killed


def test_a_tenant_who_comes_late_is_moved_by_the_promotion(v1_is_stable, v2, tenants, deploy):
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    late = make_tenant("late")
    TenantPluginConfig.objects.create(
        tenant=late, plugin=v2.plugin, environment=environment(), is_enabled=True
    )
    world.run(deployment)

    assert not Admission.objects.filter(tenant=late).exists()
    assert route_of(v2.plugin).stable == v2


def test_going_back_after_the_promotion_gives_the_stable_pointer_back(
    v1_is_stable, v1, v2, tenants, deploy, bob
):
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    world.sleep(3)
    world.follow = lambda: None
    world.tick(deployment)
    assert route_of(v1.plugin).stable == v2
    del world.follow
    record_calls(v2, world.now(), calls=100, failures=100)
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert (route_of(v1.plugin).stable, route_of(v1.plugin).warm) == (v1, None)


def test_ready_counts_only_from_an_instance_that_follows(v1_is_stable, v2, tenants, deploy):
    world = World("i-1")
    world.deaf = {"i-1"}
    deployment = world.run_to(deploy(v2), "load")
    for _ in range(5):
        world.tick(deployment)
    assert v2.placements.get().state == "ready"

    assert (current_kind(deployment), deployment.cursor) == ("load", 0)


def test_spares_are_asked_for_as_many_tenants_as_called_lately(
    v1_is_stable, v1, v2, tenants, deploy
):
    world = World("i-1")
    world.spares = 0
    callers = {str(tenant.pk): (3, 0) for tenant in tenants[:3]}
    record_calls(v1, world.now(), calls=9, tenants=callers)
    deployment = world.run_to(deploy(v2), "route")
    assert route_of(v1.plugin).candidate_spares == 3
    assert not Admission.objects.exists()
    world.spares = 3
    world.run(deployment)

    assert Admission.objects.count() == 5


def test_an_instance_without_room_for_spares_does_not_stop_the_swap(
    v1_is_stable, v1, v2, tenants, deploy
):
    world = World("i-1")
    world.spares = 0
    record_calls(v1, world.now(), calls=9, tenants={str(tenants[0].pk): (9, 0)})

    assert world.run(deploy(v2)).status == Status.COMPLETED


def test_holds_end_when_the_candidate_they_were_about_is_gone(v1_is_stable, v2, tenants, deploy):
    world = World("i-1")
    deployment = world.run_to(deploy(v2, bake_seconds=60), "hold")
    seen = {str(tenant.pk): (10, 0) for tenant in tenants} | {str(tenants[0].pk): (10, 10)}
    record_calls(v2, world.now(), calls=50, failures=10, tenants=seen)
    world.tick(deployment)
    assert Hold.objects.filter(cleared_at__isnull=True).count() == 1
    record_calls(v2, world.now() + timedelta(seconds=1), calls=1000, failures=500)
    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert not Hold.objects.filter(cleared_at__isnull=True).exists()


def make_many_installations(plugin, count):
    place = environment()
    rows = [Tenant(slug=f"many-{n}", name="Many", home_environment=place) for n in range(count)]
    many = Tenant.objects.bulk_create(rows)
    TenantPluginConfig.objects.bulk_create(
        TenantPluginConfig(tenant=tenant, plugin=plugin, environment=place) for tenant in many
    )


def queries_to_admit(version, count):
    make_many_installations(version.plugin, count)
    deployment = make_deployment(version)
    with CaptureQueriesContext(connection) as queries, routable_change(environment()) as change:
        admitted = admit(deployment, 2, 100, change)
    assert admitted == count
    return len(queries)


def test_ten_thousand_admissions_take_as_many_queries_as_ten(v1, echo):
    few = queries_to_admit(v1, 10)
    v1.deployments.all().delete()
    Tenant.objects.all().delete()

    assert queries_to_admit(v1, 10_000) == few
