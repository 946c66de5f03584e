"""What a tick does next: the order of urgency, from values alone."""

import pytest

from deployments.commands import Command
from deployments.decisions import (
    Begin,
    End,
    GoBack,
    Hasten,
    Pause,
    Perform,
    Refuse,
    Rest,
    Resume,
    Situation,
    Skip,
    decide,
)
from deployments.models import Status
from deployments.steps import Approve, Hold, Load

ALARM = "30 of 100 calls failed"
HOLD = Hold(10)


def asked(*kinds):
    return tuple(Command(pk, kind, "carol") for pk, kind in enumerate(kinds))


def running(*kinds, step=HOLD, **values):
    return decide(Situation(Status.IN_PROGRESS, step, commands=asked(*kinds), **values))


def test_without_anything_else_the_step_is_done():
    assert running() == Perform(HOLD)


def test_after_the_last_step_the_deployment_is_completed():
    assert running(step=None) == End(Status.COMPLETED)


@pytest.mark.parametrize(
    ("kinds", "ends_as"),
    [
        (["pause", "abort"], Status.ABORTED),
        (["supersede", "abort"], Status.ABORTED),
        (["supersede", "rollback"], Status.SUPERSEDED),
        (["promote", "rollback"], Status.ROLLED_BACK),
    ],
)
def test_the_more_urgent_command_wins(kinds, ends_as):
    assert running(*kinds).ends_as == ends_as


def test_an_abort_beats_an_alarm_and_an_alarm_beats_a_rollback():
    assert running("abort", alarm=ALARM).ends_as == Status.ABORTED
    assert running("rollback", alarm=ALARM) == GoBack(Status.ROLLED_BACK, ALARM)


@pytest.mark.parametrize("kind", ["pause", "promote", "skip", "resume"])
def test_an_alarm_beats_everything_milder(kind):
    assert running(kind, alarm=ALARM) == GoBack(Status.ROLLED_BACK, ALARM)


def test_an_alarm_acts_while_paused_too():
    assert running(alarm=ALARM, pause_reasons=frozenset(["manual"])).reason == ALARM


def test_a_pause_comes_before_a_promotion_and_that_before_a_skip():
    assert isinstance(running("skip", "promote", "pause"), Pause)
    assert isinstance(running("skip", "promote"), Hasten)


def test_a_resume_ends_the_pause():
    assert isinstance(running("resume", pause_reasons=frozenset(["manual"])), Resume)


def test_only_a_wait_is_skipped():
    assert isinstance(running("skip"), Skip)
    assert isinstance(running("skip", step=Load()), Refuse)


def test_a_paused_deployment_rests_even_when_its_time_is_over():
    paused = {"pause_reasons": frozenset(["manual"]), "overdue": "no progress"}

    assert running(**paused) == Rest()


def test_no_progress_goes_back():
    assert running(overdue="no progress") == GoBack(Status.ROLLED_BACK, "no progress")


def test_a_freeze_pauses_until_it_is_over():
    assert running(is_frozen=True) == Pause("freeze")
    assert running(is_frozen=True, pause_reasons=frozenset(["freeze"])) == Rest()
    assert running(pause_reasons=frozenset(["freeze"])) == Resume("freeze")


@pytest.mark.parametrize("status", [Status.PENDING, Status.AWAITING_APPROVAL])
@pytest.mark.parametrize(
    ("kind", "ends_as"),
    [("abort", Status.ABORTED), ("supersede", Status.SUPERSEDED), ("reject", Status.ABORTED)],
)
def test_a_waiting_deployment_ends_at_once(status, kind, ends_as):
    assert decide(Situation(status, Load(), commands=asked(kind))).status == ends_as


def test_approvals_are_awaited_before_the_deployment_begins():
    assert decide(Situation(Status.AWAITING_APPROVAL, Approve(2))) == Perform(Approve(2))
    assert decide(Situation(Status.AWAITING_APPROVAL, Load())) == Begin()
    assert decide(Situation(Status.PENDING, Load())) == Begin()


def test_going_back_ends_as_it_was_asked():
    back = Situation(Status.ROLLING_BACK, None, ends_as=Status.ABORTED, reason="abort by carol")

    assert decide(back) == End(Status.ABORTED, "abort by carol")


def test_going_back_that_makes_no_progress_needs_a_person():
    stuck = Situation(Status.ROLLING_BACK, Load(), overdue="no progress", reason=ALARM)

    assert decide(stuck) == End(Status.ROLLBACK_FAILED, f"no progress; it began with: {ALARM}")
