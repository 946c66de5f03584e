"""What every move of a deployment is made of; each call belongs in the move's transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from deployments.commands import Command
from deployments.lease import lease_of, save_fenced
from deployments.models import Deployment, DeploymentCommand, DeploymentStep, StepStatus

WATCH_SECONDS = 1
DETAIL_CHARACTERS = 500
OUTCOME_CHARACTERS = 200
UNFINISHED = (StepStatus.WAITING, StepStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Tick:
    """A claimed deployment, the step under its cursor if one is left, and the time."""

    deployment: Deployment
    row: DeploymentStep | None
    now: datetime

    @property
    def step_row(self) -> DeploymentStep:
        if self.row is None:
            raise LookupError(f"deployment {self.deployment.pk} has no step left")
        return self.row

    def lease(self) -> datetime:
        """Until when the worker that makes this move keeps the deployment."""
        return self.now + lease_of(self.deployment)


def save_wake(deployment: Deployment, now: datetime, seconds: float) -> None:
    """Be due again then, and within a second while the candidate has traffic to be watched."""
    if deployment.routed_at:
        seconds = min(seconds, WATCH_SECONDS)
    save_fenced(deployment, wake_at=now + timedelta(seconds=seconds))


def finish_step(row: DeploymentStep, status: StepStatus, now: datetime, detail: str) -> None:
    row.status, row.finished_at, row.detail = status, now, detail[:DETAIL_CHARACTERS]
    row.save(update_fields=["status", "finished_at", "detail"])


def skip_rest(deployment: Deployment, now: datetime) -> None:
    """No step that is left will be done."""
    rest = deployment.steps.filter(status__in=UNFINISHED)
    rest.update(status=StepStatus.SKIPPED, finished_at=now)


def close_command(command: Command | None, now: datetime, outcome: str = "done") -> None:
    if command:
        row = DeploymentCommand.objects.filter(pk=command.pk)
        row.update(applied_at=now, outcome=outcome[:OUTCOME_CHARACTERS])


def close_commands(deployment: Deployment, now: datetime, outcome: str) -> None:
    """No command that is still open will be applied."""
    rows = deployment.commands.filter(applied_at__isnull=True)
    rows.update(applied_at=now, outcome=outcome[:OUTCOME_CHARACTERS])


def name_of(command: Command | None) -> dict[str, str]:
    """Who asked for a move, for its event."""
    return {"by": command.by} if command else {}
