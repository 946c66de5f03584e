"""Moves one deployment: claims the due row, decides, makes one step true, saves, and again.

Rows are the truth and every effect is idempotent, so a worker may die, sleep or run twice anywhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from django.db import transaction

from deployments import pauses  # noqa: F401 - registers its moves
from deployments.commands import Command
from deployments.decisions import Perform, Situation, decide
from deployments.lease import LeaseLostError, claim, lease_of, save_fenced
from deployments.models import Deployment, DeploymentStep, Status, StepStatus
from deployments.models.deployment import DeploymentKind, Phase
from deployments.moves import go_on, move, stop_failed
from deployments.outcomes import Done, Failed, NotYet, StepOutcome
from deployments.plans import read_step
from deployments.steps import Approve, Hold, Step
from deployments.ticks import Tick, save_wake

logger = structlog.get_logger(__name__)

PROGRESS_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step is made true for. ``row`` remembers between ticks; ``now`` is the tick's time."""

    deployment: Deployment
    row: DeploymentStep
    now: datetime


class Effects(Protocol):
    """The world as the executor needs it."""

    def now(self) -> datetime: ...

    def find_alarm(self, deployment: Deployment) -> str:
        """Why the candidate must go at once; empty while all is well."""
        ...

    def perform(self, step: Step, scene: Scene) -> StepOutcome:
        """Make the step true, as far as that goes without waiting."""
        ...


def advance(pk: UUID | str, effects: Effects) -> bool:
    """Move a due deployment until it must wait. False if it is not due or another worker has it."""
    deployment = claim(pk, effects.now())
    if deployment is None:
        return False
    try:
        while _tick(deployment, effects):
            pass
    except LeaseLostError:
        logger.info("lease_lost", deployment=str(pk))
    return True


def _tick(deployment: Deployment, effects: Effects) -> bool:
    """One decision, carried out. Whether the next one can follow at once."""
    row = _row_under_cursor(deployment)
    now = effects.now()
    decision = decide(_look(deployment, row, effects))
    if isinstance(decision, Perform) and row is not None:
        return _perform(decision.step, Scene(deployment, row, now), effects)
    return move(decision, Tick(deployment, row, now))


def _look(deployment: Deployment, row: DeploymentStep | None, effects: Effects) -> Situation:
    in_progress = deployment.status == Status.IN_PROGRESS
    return Situation(
        status=deployment.status,
        step=read_step(row) if row else None,
        ends_as=deployment.ends_as,
        reason=deployment.reason,
        pause_reasons=frozenset(deployment.pause_reasons),
        commands=_open_commands(deployment),
        alarm=effects.find_alarm(deployment) if in_progress else "",
        overdue=_overdue(deployment, row, effects.now()),
        is_frozen=deployment.environment.is_frozen and deployment.kind != DeploymentKind.ROLLBACK,
    )


def _row_under_cursor(deployment: Deployment) -> DeploymentStep | None:
    phase = Phase.ROLLBACK if deployment.status == Status.ROLLING_BACK else Phase.PLAN
    rows = DeploymentStep.objects.filter(
        deployment=deployment, phase=phase, position__gte=deployment.cursor
    )
    return rows.exclude(status=StepStatus.SKIPPED).order_by("position").first()


def _open_commands(deployment: Deployment) -> tuple[Command, ...]:
    rows = deployment.commands.filter(applied_at__isnull=True).select_related("by")
    return tuple(
        Command(row.pk, row.kind, row.by.get_username(), str(row.arguments.get("comment", "")))
        for row in rows
    )


def _overdue(deployment: Deployment, row: DeploymentStep | None, now: datetime) -> str:
    if row is None or not deployment.deadline_at or now <= deployment.deadline_at:
        return ""
    missing = f": {row.detail}" if row.detail else ""
    return f"no progress within {PROGRESS_SECONDS} s at “{read_step(row)}”{missing}"


def _perform(step: Step, scene: Scene, effects: Effects) -> bool:
    if scene.row.status == StepStatus.WAITING:
        _start_step(step, scene)
    match effects.perform(step, scene):
        case Done(detail):
            return go_on(Tick(scene.deployment, scene.row, effects.now()), detail)
        case NotYet(seconds, detail):
            return _wait(scene, effects.now(), seconds, detail)
        case Failed(reason):
            return stop_failed(Tick(scene.deployment, scene.row, effects.now()), reason)


def _start_step(step: Step, scene: Scene) -> None:
    """Waits are long on purpose; any other step must make progress by a deadline."""
    deployment, row, now = scene.deployment, scene.row, scene.now
    is_wait = isinstance(step, Hold | Approve)
    deadline = None if is_wait else now + timedelta(seconds=PROGRESS_SECONDS)
    row.status, row.started_at = StepStatus.RUNNING, now
    with transaction.atomic():
        save_fenced(deployment, deadline_at=deadline, wake_at=now + lease_of(deployment))
        row.save(update_fields=["status", "started_at"])


def _wait(scene: Scene, now: datetime, seconds: float, detail: str) -> bool:
    if scene.row.detail != detail:
        scene.row.detail = detail
        with transaction.atomic():
            save_wake(scene.deployment, now, seconds)
            scene.row.save(update_fields=["detail"])
    else:
        save_wake(scene.deployment, now, seconds)
    return False
