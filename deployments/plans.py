"""Draws a strategy's plan into rows, once; from then on the rows are the plan."""

from collections.abc import Iterable
from typing import Any

from deployments.models import Deployment, DeploymentStep
from deployments.models.deployment import Phase
from deployments.steps import Approve, Step, dump, load
from deployments.strategies import Strategy, find_strategy


def strategy_of(deployment: Deployment) -> Strategy:
    """The strategy with the options that the deployment was started with."""
    return find_strategy(deployment.strategy).from_options(deployment.options)


def draw_plan(strategy: Strategy, *, has_incumbent: bool, approvals: int = 0) -> list[Step]:
    steps = list(strategy.plan() if has_incumbent else strategy.first_plan())
    return [Approve(approvals), *steps] if approvals else steps


def store_steps(deployment: Deployment, steps: Iterable[Step], phase: Phase = Phase.PLAN) -> None:
    DeploymentStep.objects.bulk_create(
        _as_row(deployment, phase, position, step) for position, step in enumerate(steps)
    )


def redraw_plan(deployment: Deployment) -> None:
    """Draw the plan again for the incumbent that the deployment has now, behind done approvals."""
    rows = DeploymentStep.objects.filter(deployment=deployment, phase=Phase.PLAN)
    approvals = deployment.required_approvals
    rows.filter(position__gte=1 if approvals else 0).delete()
    steps = draw_plan(
        strategy_of(deployment),
        has_incumbent=deployment.incumbent_id is not None,
        approvals=approvals,
    )
    fresh = [
        _as_row(deployment, Phase.PLAN, position, step)
        for position, step in enumerate(steps)
        if not isinstance(step, Approve)
    ]
    DeploymentStep.objects.bulk_create(fresh)


def read_step(row: DeploymentStep) -> Step:
    return load(row.kind, row.arguments)


def _as_row(deployment: Deployment, phase: Phase, position: int, step: Step) -> DeploymentStep:
    kind, arguments = dump(step)
    values: dict[str, Any] = {"kind": kind, "arguments": arguments}
    return DeploymentStep(deployment=deployment, phase=phase, position=position, **values)
