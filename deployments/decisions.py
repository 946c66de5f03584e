"""What a tick does next, from values alone: the order of urgency of DESIGN section 3.

abort > supersede > automatic rollback > a person's rollback > pause > promote > skip and resume >
timers. Guardrails are asked before anything but an abort, also while the deployment is paused.
"""

from dataclasses import dataclass

from deployments.commands import Command, CommandKind, first_of
from deployments.models import Status
from deployments.models.deployment import WAITING
from deployments.steps import Approve, Hold, Step

FREEZE = "freeze"
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is decided on. ``step`` is the one under the cursor; none is left after the last."""

    status: str
    step: Step | None
    ends_as: str = ""
    reason: str = ""
    pause_reasons: frozenset[str] = frozenset()
    commands: tuple[Command, ...] = ()
    alarm: str = ""
    overdue: str = ""
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """Leave the queue."""


@dataclass(frozen=True, slots=True)
class Perform:
    """Make the step under the cursor true."""

    step: Step


@dataclass(frozen=True, slots=True)
class GoBack:
    """Leave the plan for the rollback, which ends as ``ends_as``."""

    ends_as: str
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""

    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    reason: str
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    reason: str
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """The step under the cursor counts as done."""

    command: Command


@dataclass(frozen=True, slots=True)
class Hasten:
    """Every wait that is left counts as done; no pause remains but a freeze."""

    command: Command


@dataclass(frozen=True, slots=True)
class Refuse:
    """The command came too late or too early for the step under the cursor."""

    command: Command
    reason: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Paused: only a command or a guardrail ends that."""


Decision = Begin | Perform | GoBack | End | Pause | Resume | Skip | Hasten | Refuse | Rest

_ENDS_AS = {
    CommandKind.ABORT: Status.ABORTED,
    CommandKind.SUPERSEDE: Status.SUPERSEDED,
    CommandKind.ROLLBACK: Status.ROLLED_BACK,
    CommandKind.REJECT: Status.ABORTED,
}


def decide(now: Situation) -> Decision:
    if now.status in WAITING:
        return _decide_waiting(now)
    if now.status == Status.ROLLING_BACK:
        return _decide_going_back(now)
    return _decide_in_progress(now)


def _decide_waiting(now: Situation) -> Decision:
    stop = first_of(now.commands, CommandKind.ABORT, CommandKind.SUPERSEDE, CommandKind.REJECT)
    if stop:
        return End(_ENDS_AS[CommandKind(stop.kind)], str(stop))
    if isinstance(now.step, Approve):
        return Perform(now.step)
    return Begin()


def _decide_going_back(now: Situation) -> Decision:
    if now.overdue:
        return End(Status.ROLLBACK_FAILED, f"{now.overdue}; it began with: {now.reason}")
    if now.step is None:
        return End(now.ends_as, now.reason)
    return Perform(now.step)


def _decide_in_progress(now: Situation) -> Decision:
    stop = first_of(now.commands, CommandKind.ABORT, CommandKind.SUPERSEDE)
    if stop is None and now.alarm:
        return GoBack(Status.ROLLED_BACK, now.alarm)
    stop = stop or first_of(now.commands, CommandKind.ROLLBACK)
    if stop:
        return GoBack(_ENDS_AS[CommandKind(stop.kind)], str(stop))
    return _answer_command(now) or _follow_plan(now)


def _answer_command(now: Situation) -> Decision | None:
    command = first_of(
        now.commands,
        CommandKind.PAUSE,
        CommandKind.PROMOTE,
        CommandKind.SKIP,
        CommandKind.RESUME,
    )
    if command is None:
        return None
    match command.kind:
        case CommandKind.PAUSE:
            return Pause(MANUAL, command)
        case CommandKind.PROMOTE:
            return Hasten(command)
        case CommandKind.RESUME:
            return Resume(MANUAL, command)
    if isinstance(now.step, Hold):
        return Skip(command)
    return Refuse(command, f"only a wait can be skipped; the step now is: {now.step}")


def _follow_plan(now: Situation) -> Decision:
    if now.is_frozen != (FREEZE in now.pause_reasons):
        return Pause(FREEZE) if now.is_frozen else Resume(FREEZE)
    if now.pause_reasons:
        return Rest()
    if now.overdue:
        return GoBack(Status.ROLLED_BACK, now.overdue)
    if now.step is None:
        return End(Status.COMPLETED)
    return Perform(now.step)
