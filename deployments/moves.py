"""How a decision becomes rows: one fenced transaction with its event, or nothing at all."""

from functools import singledispatch

from django.db import IntegrityError, transaction

from deployments.decisions import Begin, Decision, End, GoBack, Rest
from deployments.events import record_audit_event, record_event
from deployments.lease import save_fenced, wake
from deployments.models import Deployment, Route, Status, StepStatus
from deployments.models.deployment import WAITING, DeploymentKind, Phase
from deployments.plans import redraw_plan, store_steps, strategy_of
from deployments.refusals import refuse_candidate, refuse_stable
from deployments.ticks import Tick, close_commands, finish_step, save_wake, skip_rest
from hotswap.lib.errors import HotSwapError
from plugins.models import PluginVersion

QUEUE_SECONDS = 5
REST_SECONDS = 30
REASON_CHARACTERS = 500


@singledispatch
def move(decision: Decision, tick: Tick) -> bool:
    """Carry the decision out; whether the next one can follow at once."""
    raise NotImplementedError(type(decision).__name__)


def go_on(tick: Tick, detail: str) -> bool:
    """The step under the cursor holds; the next one is due."""
    deployment, row = tick.deployment, tick.step_row
    with transaction.atomic():
        save_fenced(deployment, cursor=row.position + 1, deadline_at=None, wake_at=tick.lease())
        finish_step(row, StepStatus.DONE, tick.now, detail)
        record_event(deployment, "step_done", row.kind, {"step": row.position, "detail": detail})
    return True


def stop_failed(tick: Tick, reason: str) -> bool:
    """The step under the cursor cannot hold: back to the incumbent, or to a person."""
    with transaction.atomic():
        finish_step(tick.step_row, StepStatus.FAILED, tick.now, reason)
        if tick.deployment.status == Status.ROLLING_BACK:
            return move(End(Status.ROLLBACK_FAILED, reason), tick)
        return move(GoBack(Status.ROLLED_BACK, reason), tick)


@move.register
def _begin(decision: Begin, tick: Tick) -> bool:
    deployment = tick.deployment
    incumbent = _stable_now(deployment)
    try:
        is_rollback = deployment.kind == DeploymentKind.ROLLBACK
        refuse_candidate(deployment.candidate, deployment.environment, is_rollback=is_rollback)
        refuse_stable(deployment.candidate, incumbent, deployment.environment)
    except HotSwapError as refusal:
        return move(End(Status.FAILED, refusal.message), tick)
    if _leave_queue(tick, incumbent):
        return True
    save_wake(deployment, tick.now, QUEUE_SECONDS)
    return False


def _leave_queue(tick: Tick, incumbent: PluginVersion | None) -> bool:
    """False while another deployment of the plugin runs: the database allows one."""
    deployment = tick.deployment
    had_incumbent = deployment.incumbent_id is not None
    try:
        with transaction.atomic():
            save_fenced(
                deployment,
                status=Status.IN_PROGRESS,
                incumbent=incumbent,
                started_at=tick.now,
                wake_at=tick.lease(),
            )
            if had_incumbent != (incumbent is not None):
                redraw_plan(deployment)
            record_event(deployment, "started")
    except IntegrityError as error:
        if "one_running_deployment" not in str(error):
            raise
        return False
    return True


@move.register
def _go_back(decision: GoBack, tick: Tick) -> bool:
    deployment = tick.deployment
    with transaction.atomic():
        save_fenced(
            deployment,
            status=Status.ROLLING_BACK,
            ends_as=decision.ends_as,
            reason=decision.reason[:REASON_CHARACTERS],
            cursor=0,
            pause_reasons=[],
            paused_at=None,
            deadline_at=None,
            wake_at=tick.lease(),
        )
        skip_rest(deployment, tick.now)
        store_steps(deployment, strategy_of(deployment).rollback(), Phase.ROLLBACK)
        close_commands(deployment, tick.now, f"the deployment goes back: {decision.reason}")
        record_event(deployment, "going_back", decision.reason)
    return True


@move.register
def _end(decision: End, tick: Tick) -> bool:
    deployment = tick.deployment
    with transaction.atomic():
        save_fenced(
            deployment,
            status=decision.status,
            reason=decision.reason[:REASON_CHARACTERS],
            finished_at=tick.now,
            deadline_at=None,
            wake_at=None,
        )
        skip_rest(deployment, tick.now)
        close_commands(deployment, tick.now, f"the deployment is {decision.status}")
        record_event(deployment, decision.status, decision.reason)
        record_audit_event(deployment, decision.status)
        _wake_successor(deployment)
    return False


@move.register
def _rest(decision: Rest, tick: Tick) -> bool:
    save_wake(tick.deployment, tick.now, REST_SECONDS)
    return False


def _stable_now(deployment: Deployment) -> PluginVersion | None:
    place = {"plugin": deployment.plugin, "environment": deployment.environment}
    route = Route.objects.filter(**place).select_related("stable").first()
    return route.stable if route else None


def _wake_successor(deployment: Deployment) -> None:
    place = {"plugin": deployment.plugin, "environment": deployment.environment}
    wake(Deployment.objects.filter(**place, status__in=WAITING))
