"""Several workers on the same deployments, each with its own connection."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from deployments import tasks
from deployments.effects import LiveEffects
from deployments.executor import advance
from deployments.models import Admission, Status
from hotswap.lib.database import scope_all
from tests.deployments.worlds import World, fresh, route_of
from tests.factories import make_deployment, make_plugin, make_version
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(*loops):
    """Each loop again and again in a thread of its own, until the block ends; errors are raised."""
    over, errors = threading.Event(), []

    def repeat(work):
        try:
            with scope_all():
                while not over.is_set():
                    work()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=repeat, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_three_workers_do_one_deployment_once(v1_is_stable, v2, tenants, deploy):
    world, deployment = World("i-1", "i-2"), deploy(v2, bake_seconds=0.3)

    def work():
        advance(deployment.pk, LiveEffects())

    with running(world.follow, work, work, work):
        wait_until(lambda: not fresh(deployment).is_active, what="the deployment's end")

    events = list(deployment.events.values_list("sequence", "kind", "message"))
    done = [message for _, kind, message in events if kind == "step_done"]
    assert fresh(deployment).status == Status.COMPLETED
    assert done == ["load", "probe", "route", "hold", "promote", "unload"]
    assert [number for number, *_ in events] == list(range(1, len(events) + 1))
    assert Admission.objects.count() == 5
    assert route_of(v2.plugin).stable == v2


@pytest.fixture
def hints(monkeypatch):
    """Messages that would have gone to the broker."""
    sent = []
    monkeypatch.setattr(tasks.advance_due_deployments, "delay", lambda: sent.append("due"))
    monkeypatch.setattr(tasks.advance_deployment, "delay", sent.append)
    return sent


def test_one_message_brings_a_deployment_to_its_end(hints, v1_is_stable, v2, tenants, deploy):
    world, deployment = World("i-1"), deploy(v2, bake_seconds=1)
    with running(world.follow):
        tasks.advance_deployment(str(deployment.pk))

    assert fresh(deployment).status == Status.COMPLETED
    assert hints == [str(deployment.pk)]


def test_a_lost_message_is_made_up_by_beat(hints, v1_is_stable, v2, tenants, deploy):
    world, deployment = World("i-1"), deploy(v2, bake_seconds=0)
    hints.clear()
    with running(world.follow):
        tasks.advance_due_deployments()

    assert fresh(deployment).status == Status.COMPLETED


def test_a_task_that_runs_out_of_time_sends_the_next(hints, monkeypatch, v1_is_stable, v2, deploy):
    monkeypatch.setattr(tasks, "TASK_SECONDS", 0.2)
    World("i-1").deaf = {"i-1"}
    deployment = deploy(v2)
    hints.clear()
    tasks.advance_due_deployments()

    assert hints == ["due"]
    assert fresh(deployment).is_active


def test_nothing_due_ends_the_task_at_once(hints):
    tasks.advance_due_deployments()

    assert hints == []


def test_one_deployment_in_trouble_does_not_keep_the_others(
    hints, monkeypatch, v1_is_stable, v2, tenants, deploy
):
    world, healthy = World("i-1"), deploy(v2, bake_seconds=0)
    sick = make_deployment(make_version(make_plugin("sick")), wake_at=healthy.wake_at)
    good = LiveEffects.find_alarm

    def find_or_fail(effects, deployment):
        if deployment.pk == sick.pk:
            raise RuntimeError("a bug")
        return good(effects, deployment)

    monkeypatch.setattr(LiveEffects, "find_alarm", find_or_fail)
    with running(world.follow):
        tasks.advance_due_deployments()

    assert fresh(healthy).status == Status.COMPLETED


def test_a_broker_that_is_away_does_not_refuse_a_deployment(monkeypatch, v1, deploy):
    def fail(pk):
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.advance_deployment, "delay", fail)

    assert deploy(v1).status == Status.PENDING


def test_secrets_are_sealed_by_a_task_of_their_own(db):
    assert tasks.seal_missing_secrets() is None
