"""What people ask of a running deployment, and what is refused with which way out."""

import pytest

from deployments.models import DeploymentCommand, Status
from deployments.services import request_command
from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from observability.models import AuditEvent
from tests.deployments.worlds import World, current_kind, record_calls, route_of, steps_of
from tests.factories import environment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World("i-1")


@pytest.fixture
def held(world, v1_is_stable, v2, tenants, deploy):
    """A deployment in the middle of its hold."""
    return world.run_to(deploy(v2, bake_seconds=60), "hold")


def ask(deployment, kind, by, **arguments):
    return request_command(deployment=deployment, kind=kind, by=by, arguments=arguments)


def test_a_pause_stops_the_clock_and_a_resume_starts_it_again(world, held, bob):
    ask(held, "pause", bob)
    world.tick(held)
    assert held.shown_status == "paused"
    world.sleep(3600)
    ask(held, "resume", bob)
    world.tick(held)
    assert current_kind(held) == "hold"
    world.sleep(61)
    world.run(held)

    assert held.status == Status.COMPLETED


def test_the_guardrails_act_while_paused(world, held, v2, bob):
    ask(held, "pause", bob)
    world.tick(held)
    record_calls(v2, world.now(), calls=100, failures=50)
    world.run(held)

    assert held.status == Status.ROLLED_BACK


def test_the_deadline_does_not_run_while_paused(world, v1_is_stable, v2, deploy, bob):
    world.deaf = {"i-1"}
    deployment = world.run_to(deploy(v2), "load")
    ask(deployment, "pause", bob)
    world.tick(deployment)
    world.sleep(3600)
    world.deaf = set()
    ask(deployment, "resume", bob)
    world.run(deployment)

    assert deployment.status == Status.COMPLETED


def test_an_abort_brings_everybody_back(world, held, v1, bob):
    ask(held, "abort", bob, comment="wrong version")
    world.run(held)

    assert (held.status, held.reason) == (Status.ABORTED, "abort by bob: wrong version")
    assert route_of(v1.plugin).stable == v1


def test_a_rollback_by_a_person_names_the_person(world, held, carol):
    ask(held, "rollback", carol)
    world.run(held)

    assert (held.status, held.reason) == (Status.ROLLED_BACK, "rollback by carol")


def test_an_abort_beats_a_promotion_asked_before(world, held, bob, carol):
    ask(held, "promote", carol)
    ask(held, "abort", bob)
    world.run(held)

    assert held.status == Status.ABORTED


def test_a_promotion_ends_the_wait_and_the_pause(world, held, v2, bob, carol):
    ask(held, "pause", bob)
    world.tick(held)
    ask(held, "promote", carol)
    world.tick(held)
    world.run(held)

    assert held.status == Status.COMPLETED
    assert ("hold", "skipped", "promote by carol") in steps_of(held)


def test_a_skip_ends_the_wait(world, held, carol):
    ask(held, "skip", carol)
    world.tick(held)

    assert ("hold", "skipped", "skip by carol") in steps_of(held)


def test_asking_twice_is_asking_once(held, bob):
    assert ask(held, "pause", bob) == ask(held, "pause", bob)
    assert DeploymentCommand.objects.count() == 1


def test_asking_for_what_is_in_force_returns_the_first_command(world, held, bob):
    first = ask(held, "pause", bob)
    world.tick(held)

    assert ask(held, "pause", bob) == first


@pytest.mark.parametrize("kind", ["pause", "resume", "abort", "promote", "skip", "approve"])
def test_a_finished_deployment_takes_no_command(world, held, kind, carol):
    world.sleep(61)
    world.run(held)

    with pytest.raises(ConflictError, match="it is completed; roll it back") as refusal:
        ask(held, kind, carol)
    assert refusal.value.code == "deployment_state"


def test_what_is_not_paused_is_not_resumed(held, bob):
    with pytest.raises(ConflictError, match="it is not paused"):
        ask(held, "resume", bob)


def test_only_a_wait_is_skipped(world, v1_is_stable, v2, deploy, carol):
    world.deaf = {"i-1"}
    deployment = world.run_to(deploy(v2), "load")

    with pytest.raises(ConflictError, match="only a wait can be skipped"):
        ask(deployment, "skip", carol)


def test_a_skip_that_comes_too_early_for_a_wait_is_answered(world, v1_is_stable, v2, deploy, carol):
    world.deaf = {"i-1"}
    deployment = world.run_to(deploy(v2), "load")
    command = DeploymentCommand.objects.create(deployment=deployment, kind="skip", by=carol)
    world.tick(deployment)
    command.refresh_from_db()

    assert command.outcome.startswith("only a wait can be skipped; the step now is: Load")
    assert current_kind(deployment) == "load"


@pytest.mark.parametrize("kind", ["promote", "skip"])
def test_nobody_shortens_the_watch_over_their_own_work(held, kind, bob):
    with pytest.raises(ForbiddenError, match=f"bob .* cannot {kind} it"):
        ask(held, kind, bob)


def test_an_unknown_command_is_refused(held, bob):
    with pytest.raises(InvalidInputError, match="no command 'supersede'"):
        ask(held, "supersede", bob)


def test_a_frozen_environment_pauses_what_runs(world, held):
    type(held.environment).objects.update(is_frozen=True)
    world.tick(held)
    assert held.pause_reasons == ["freeze"]
    type(held.environment).objects.update(is_frozen=False)
    world.run(held)

    assert held.status == Status.COMPLETED


def test_every_command_is_in_the_audit(held, bob):
    ask(held, "pause", bob)

    event = AuditEvent.objects.get(action="deployment.pause")
    assert (event.actor, event.object_id) == ("bob", str(held.pk))


@pytest.fixture
def guarded(v1_is_stable, v2, tenants, deploy):
    """A deployment that two people must approve."""
    type(environment()).objects.filter(name="qa").update(required_approvals=2)
    return deploy(v2)


def test_approvals_of_two_people_let_it_begin(world, guarded, carol):
    dave = make_user("dave", role="Approver")
    world.tick(guarded)
    assert guarded.status == Status.AWAITING_APPROVAL
    ask(guarded, "approve", carol)
    world.tick(guarded)
    assert guarded.status == Status.AWAITING_APPROVAL
    ask(guarded, "approve", dave)
    world.run(guarded)

    assert guarded.status == Status.COMPLETED
    assert steps_of(guarded)[0] == ("approve", "done", "2 of 2 approvals")


def test_one_person_is_counted_once(world, guarded, carol):
    assert ask(guarded, "approve", carol) == ask(guarded, "approve", carol)
    world.tick(guarded)

    assert guarded.status == Status.AWAITING_APPROVAL


def test_nobody_approves_their_own_request(guarded, bob):
    with pytest.raises(ForbiddenError, match="bob owns the plugin and cannot approve it"):
        ask(guarded, "approve", bob)


def test_a_rejection_ends_it(world, guarded, carol):
    ask(guarded, "reject", carol, comment="not on a Friday")
    world.tick(guarded)

    assert (guarded.status, guarded.reason) == (
        Status.ABORTED,
        "reject by carol: not on a Friday",
    )


def test_what_waits_for_approval_cannot_be_paused(guarded, bob):
    with pytest.raises(ConflictError, match="awaiting_approval; approve it, reject it or abort"):
        ask(guarded, "pause", bob)
