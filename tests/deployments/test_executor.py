"""Workers that come twice, late, or die in the middle. The effects are fakes, the rows are real."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.executor import advance
from deployments.lease import (
    IllegalTransitionError,
    LeaseLostError,
    check_lease,
    claim,
    save_fenced,
)
from deployments.models import Status
from deployments.outcomes import Done, Failed, NotYet
from deployments.steps import Hold, Load, Probe
from tests.deployments.worlds import events_of, fresh, steps_of

pytestmark = pytest.mark.django_db


class FakeEffects:
    """Answers each kind of step from ``outcomes``; what is not named there is done at once."""

    def __init__(self, **outcomes):
        self.outcomes = outcomes
        self.performed = []
        self.alarm = ""
        self.offset = timedelta()
        self.before = lambda: None

    def now(self):
        return timezone.now() + self.offset

    def find_alarm(self, deployment):
        return self.alarm

    def perform(self, step, scene):
        self.performed.append(type(step))
        self.before()
        return self.outcomes.get(type(step).__name__.lower(), Done())


@pytest.fixture
def deployment(v1_is_stable, v2, deploy):
    return deploy(v2)


def test_steps_that_need_no_wait_follow_each_other_at_once(deployment):
    advance(deployment.pk, FakeEffects())

    assert fresh(deployment).status == Status.COMPLETED
    assert {status for _, status, _ in steps_of(deployment)} == {"done"}


def test_what_does_not_hold_yet_is_tried_again_later(deployment):
    effects = FakeEffects(load=NotYet(5, "not ready on i-1"))
    advance(deployment.pk, effects)

    row = fresh(deployment)
    assert effects.performed == [Load]
    assert steps_of(row)[0] == ("load", "running", "not ready on i-1")
    assert 4 < (row.wake_at - timezone.now()).total_seconds() <= 5


def test_a_deployment_that_is_not_due_is_left_alone(deployment):
    advance(deployment.pk, FakeEffects(load=NotYet(5)))
    effects = FakeEffects()

    assert advance(deployment.pk, effects) is False
    assert effects.performed == []


def test_a_step_that_fails_goes_back_and_names_the_reason(deployment):
    advance(deployment.pk, FakeEffects(probe=Failed("probe failed on i-1")))

    row = fresh(deployment)
    assert (row.status, row.reason) == (Status.ROLLED_BACK, "probe failed on i-1")
    assert ("probe", "failed", "probe failed on i-1") in steps_of(row)


def test_a_rollback_that_fails_waits_for_a_person(deployment):
    advance(deployment.pk, FakeEffects(hold=NotYet(1)))
    effects = FakeEffects(route=Failed("no such route"))
    effects.alarm, effects.offset = "too many errors", timedelta(seconds=60)
    advance(deployment.pk, effects)

    assert fresh(deployment).status == Status.ROLLBACK_FAILED


def test_only_one_of_two_workers_gets_the_deployment(deployment):
    now = timezone.now()

    assert claim(deployment.pk, now) is not None
    assert claim(deployment.pk, now) is None


def test_a_dead_workers_claim_lapses(deployment):
    now = timezone.now()
    claim(deployment.pk, now)

    assert claim(deployment.pk, now + timedelta(seconds=9)) is None
    assert claim(deployment.pk, now + timedelta(seconds=11)) is not None


def test_with_traffic_on_the_candidate_a_claim_lapses_sooner(deployment):
    now = timezone.now()
    type(deployment).objects.update(routed_at=now)
    claim(deployment.pk, now)

    assert claim(deployment.pk, now + timedelta(seconds=6)) is not None


def test_a_worker_that_lost_its_lease_changes_nothing(deployment):
    now = timezone.now()
    slow = claim(deployment.pk, now)
    fast = claim(deployment.pk, now + timedelta(seconds=11))
    save_fenced(fast, status=Status.IN_PROGRESS)

    with pytest.raises(LeaseLostError):
        save_fenced(slow, status=Status.ABORTED)
    with pytest.raises(LeaseLostError):
        check_lease(slow)
    assert fresh(deployment).status == Status.IN_PROGRESS


def test_a_worker_overtaken_while_it_performs_a_step_stops(deployment):
    late = FakeEffects()
    early = FakeEffects(load=NotYet(5, "by the second worker"))
    early.offset = timedelta(seconds=30)
    late.before = lambda: advance(deployment.pk, early)
    advance(deployment.pk, late)

    assert late.performed == [Load]
    assert steps_of(deployment)[0] == ("load", "running", "by the second worker")


@pytest.mark.parametrize("dies_at", range(6))
def test_a_worker_may_die_at_any_step_and_the_next_one_continues(deployment, dies_at):
    effects = FakeEffects()

    def die():
        if len(effects.performed) == dies_at + 1:
            raise SystemExit

    effects.before = die
    with pytest.raises(SystemExit):
        advance(deployment.pk, effects)
    assert fresh(deployment).is_active
    effects.offset = timedelta(seconds=11)
    advance(deployment.pk, effects)

    assert fresh(deployment).status == Status.COMPLETED
    assert events_of(deployment).count("step_done") == 6
    assert len(effects.performed) == 7


def test_an_impossible_transition_is_refused(deployment):
    claimed = claim(deployment.pk, timezone.now())

    with pytest.raises(IllegalTransitionError, match="cannot go from pending to completed"):
        save_fenced(claimed, status=Status.COMPLETED)


def test_a_step_without_progress_for_ten_minutes_goes_back(deployment):
    advance(deployment.pk, FakeEffects(load=NotYet(1, "not ready on i-2")))
    later = FakeEffects(load=NotYet(1))
    later.offset = timedelta(seconds=601)
    advance(deployment.pk, later)

    assert fresh(deployment).status == Status.ROLLED_BACK
    assert "no progress within 600 s" in fresh(deployment).reason
    assert fresh(deployment).reason.endswith("not ready on i-2")


def test_a_long_wait_is_no_lack_of_progress(deployment):
    advance(deployment.pk, FakeEffects(hold=NotYet(5000)))
    later = FakeEffects(hold=NotYet(4000))
    later.offset = timedelta(seconds=6000)
    advance(deployment.pk, later)

    assert later.performed == [Hold]
    assert fresh(deployment).status == Status.IN_PROGRESS


def test_an_alarm_is_heard_before_the_step(deployment):
    effects = FakeEffects(probe=NotYet(1))
    advance(deployment.pk, effects)
    effects.alarm, effects.offset = "too many errors", timedelta(seconds=2)
    advance(deployment.pk, effects)

    assert effects.performed.count(Probe) == 1
    assert fresh(deployment).reason == "too many errors"


def test_events_are_numbered_without_a_gap(deployment):
    advance(deployment.pk, FakeEffects())

    numbers = list(deployment.events.values_list("sequence", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
