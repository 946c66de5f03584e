"""Real Celery processes, under their own database role; killing one only delays a deployment."""

import threading

import pytest
from django.db import connection

from deployments.models import Admission, Status
from hotswap.lib.database import scope_all
from tests.deployments.worlds import World, current_kind, events_of, fresh, route_of
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]


@pytest.fixture
def world(platform_scope):
    """Instances that exist as rows, and follow in a thread of their own."""
    world, over = World("i-1", "i-2"), threading.Event()

    def follow():
        with scope_all():
            while not over.wait(0.05):
                world.follow()
        connection.close()

    thread = threading.Thread(target=follow)
    thread.start()
    yield world
    over.set()
    thread.join()


def ended(deployment):
    wait_until(lambda: not fresh(deployment).is_active, 60, what="the deployment's end")
    return fresh(deployment)


def test_a_worker_moves_a_deployment_as_soon_as_it_is_started(
    world, processes, v1_is_stable, v2, tenants, deploy
):
    processes.start_worker()
    deployment = ended(deploy(v2, bake_seconds=0))

    assert deployment.status == Status.COMPLETED
    assert Admission.objects.count() == 5


@pytest.mark.parametrize("kind", ["load", "route", "hold"])
def test_after_kill_9_another_worker_ends_the_deployment_in_the_same_state(
    kind, world, processes, v1_is_stable, v1, v2, tenants, deploy
):
    processes.start_beat()
    worker = processes.start_worker()
    if kind in {"load", "route"}:
        world.deaf = {"i-2"}
    if kind == "route":
        world.probe = None
    deployment = deploy(v2, bake_seconds=5)
    if kind == "route":
        world.deaf = set()
        wait_until(lambda: current_kind(deployment) == "probe", what="the probe")
        world.deaf, world.probe = {"i-2"}, {"ok": True, "failures": []}
    wait_until(lambda: current_kind(deployment) == kind, what=f"the {kind}")
    worker.kill()
    world.deaf = set()
    processes.start_worker("second")

    route = route_of(v1.plugin)
    assert ended(deployment).status == Status.COMPLETED
    route.refresh_from_db()
    assert (route.stable, route.candidate, route.warm) == (v2, None, v1)
    assert events_of(deployment).count("step_done") == 6
    assert events_of(deployment).count("admitted") == 1


def test_without_beat_a_deployment_still_moves(world, processes, v1_is_stable, v2, tenants, deploy):
    processes.start_worker()

    assert ended(deploy(v2, bake_seconds=2)).status == Status.COMPLETED
