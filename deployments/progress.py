"""How far a deployment is, in steps, and the words for where it stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deployments.models import Deployment, DeploymentStep, Status, StepStatus
from deployments.models.deployment import ACTIVE, WAITING, Phase
from deployments.steps import load

FINISHED = (StepStatus.DONE, StepStatus.SKIPPED)
_ENDED = {
    Status.COMPLETED: "Completed",
    Status.ROLLED_BACK: "Rolled back",
    Status.ROLLBACK_FAILED: "The rollback failed",
    Status.FAILED: "Failed",
    Status.ABORTED: "Aborted",
    Status.SUPERSEDED: "Replaced by a newer deployment",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` steps; a wait under way counts by the time that has passed."""

    done: float
    total: int
    label: str
    is_going_back: bool = False

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0


def progress_of(deployment: Deployment, now: datetime) -> Progress:
    """Reads ``deployment.steps.all()``: prefetch it for a list."""
    steps = list(deployment.steps.all())
    went_back = any(step.phase == Phase.ROLLBACK for step in steps)
    phase = Phase.ROLLBACK if went_back else Phase.PLAN
    rows = [step for step in steps if step.phase == phase]
    if deployment.status == Status.COMPLETED:
        return Progress(len(rows) or 1, len(rows) or 1, _ENDED[Status.COMPLETED])
    done = sum(_share(step, deployment, now) for step in rows)
    return Progress(done, len(rows) or 1, _label(deployment, rows), went_back)


def text_of(step: DeploymentStep) -> str:
    """The step as a sentence; a kind that this program no longer knows keeps its name."""
    try:
        return str(load(step.kind, step.arguments))
    except (ValueError, TypeError):
        return step.kind


def _share(step: DeploymentStep, deployment: Deployment, now: datetime) -> float:
    if step.status in FINISHED:
        return 1
    seconds = step.arguments.get("seconds") if step.kind == "hold" else None
    if step.status != StepStatus.RUNNING or not seconds or step.started_at is None:
        return 0
    until = deployment.paused_at or now
    waited = (until - step.started_at).total_seconds() - step.state.get("paused_seconds", 0)
    return min(max(waited / seconds, 0), 0.99)


def _label(deployment: Deployment, rows: Sequence[DeploymentStep]) -> str:
    if deployment.status not in ACTIVE:
        return _ENDED[Status(deployment.status)]
    current = _current(rows)
    if deployment.status in WAITING and (current is None or current.kind != "approve"):
        return "Waiting for its turn"
    if current is None:
        return "About to end"
    return f"Step {rows.index(current) + 1} of {len(rows)}: {text_of(current)}"


def _current(rows: Iterable[DeploymentStep]) -> DeploymentStep | None:
    return next((step for step in rows if step.status not in FINISHED), None)
