"""kill -9 of any one process in the middle of a deployment ends in the same final state."""

import os
import signal

import pytest

from deployments.models import DeploymentEvent, DeploymentStep
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos

PLAN = ["load", "probe", "route", "hold", "promote", "unload"]


def wait_for_step(deployment, kind):
    rows = DeploymentStep.objects.filter(deployment=deployment, kind=kind)
    wait_until(lambda: rows.exclude(status="waiting").exists(), what=f"the step {kind}")


def assert_completed_once(world, deployment):
    steps = DeploymentStep.objects.filter(deployment=deployment).order_by("position")
    events = DeploymentEvent.objects.filter(deployment=deployment, kind="step_done")

    assert deployment.status == "completed", deployment.reason
    assert [(step.kind, step.status) for step in steps] == [(kind, "done") for kind in PLAN]
    assert [event.message for event in events.order_by("sequence")] == PLAN
    assert world.stable() == deployment.candidate.version


@pytest.mark.parametrize("step", ["load", "route", "hold"])
@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_killed_part_of_the_control_plane_costs_no_call(running, name, step):
    second = running.publish("1.1.0")
    with running.load() as load:
        deployment = running.deploy(second)
        wait_for_step(deployment, step)
        getattr(running, name).kill()
        getattr(running.processes, f"start_{name}")()
        running.finish(deployment)
        records = load.stop()

    assert_completed_once(running, deployment)
    assert [record for record in records if not record.ok] == []


@pytest.mark.parametrize("step", ["load", "route", "hold"])
def test_a_killed_instance_comes_back_and_the_deployment_completes(running, step):
    second = running.publish("1.1.0")
    deployment = running.deploy(second)
    wait_for_step(deployment, step)
    running.instances["i-2"].kill()
    running.instances["i-2"] = running.processes.start_instance("i-2")

    assert_completed_once(running, running.finish(deployment, 90))
    with running.load() as load:
        wait_until(lambda: len(load.records()) > 50, what="calls at both instances")
        records = load.stop()
    assert {(record.status, record.version) for record in records} == {(200, "1.1.0")}


def test_a_killed_plugin_process_costs_at_most_the_calls_that_ran(running):
    second = running.publish("1.1.0")
    with running.load() as load:
        deployment = running.deploy(second)
        wait_for_step(deployment, "hold")
        victims = running.plugin_processes(running.instances["i-1"])[:1]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        running.finish(deployment)
        records = load.stop()

    assert victims
    assert_completed_once(running, deployment)
    assert len([record for record in records if not record.ok]) <= 1


def test_calls_through_web_are_answered_by_the_other_instance(running):
    with running.load(targets=(running.web.url,)) as load:
        wait_until(lambda: len(load.records()) > 30, what="calls before the kill")
    running.instances["i-1"].kill()
    with running.load(targets=(running.web.url,)) as load:
        wait_until(lambda: len(load.records()) > 100, what="calls after the kill")
        records = load.stop()

    assert [record for record in records if not record.ok] == []
