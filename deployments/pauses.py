"""The decisions that stop the plan's clock, start it again or shorten a wait."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from deployments.decisions import MANUAL, Hasten, Pause, Refuse, Resume, Skip
from deployments.events import record_event
from deployments.lease import save_fenced
from deployments.models import StepStatus
from deployments.models.deployment import Phase
from deployments.moves import move
from deployments.ticks import UNFINISHED, Tick, close_command, finish_step, name_of

PAUSED_SECONDS = "paused_seconds"


@move.register
def _pause(decision: Pause, tick: Tick) -> bool:
    deployment = tick.deployment
    with transaction.atomic():
        save_fenced(
            deployment,
            pause_reasons=sorted({*deployment.pause_reasons, decision.reason}),
            paused_at=deployment.paused_at or tick.now,
            wake_at=tick.lease(),
        )
        close_command(decision.command, tick.now)
        record_event(deployment, "paused", decision.reason, name_of(decision.command))
    return True


@move.register
def _resume(decision: Resume, tick: Tick) -> bool:
    with transaction.atomic():
        _take_reason_away(tick, decision.reason)
        close_command(decision.command, tick.now)
        record_event(tick.deployment, "resumed", decision.reason, name_of(decision.command))
    return True


@move.register
def _hasten(decision: Hasten, tick: Tick) -> bool:
    """A freeze stays: nobody promotes in an environment that may not change."""
    with transaction.atomic():
        _take_reason_away(tick, MANUAL)
        waits = tick.deployment.steps.filter(phase=Phase.PLAN, kind="hold", status__in=UNFINISHED)
        waits.update(status=StepStatus.SKIPPED, finished_at=tick.now, detail=str(decision.command))
        close_command(decision.command, tick.now)
        record_event(tick.deployment, "promoted", "", name_of(decision.command))
    return True


@move.register
def _skip(decision: Skip, tick: Tick) -> bool:
    deployment, row = tick.deployment, tick.step_row
    with transaction.atomic():
        save_fenced(deployment, cursor=row.position + 1, wake_at=tick.lease())
        finish_step(row, StepStatus.SKIPPED, tick.now, str(decision.command))
        close_command(decision.command, tick.now)
        record_event(deployment, "skipped", row.kind, name_of(decision.command))
    return True


@move.register
def _refuse(decision: Refuse, tick: Tick) -> bool:
    with transaction.atomic():
        save_fenced(tick.deployment, wake_at=tick.lease())
        close_command(decision.command, tick.now, decision.reason)
        record_event(tick.deployment, "refused", f"{decision.command}: {decision.reason}")
    return True


def _take_reason_away(tick: Tick, reason: str) -> None:
    """Paused time does not count: once no reason is left, every timer moves by it."""
    deployment = tick.deployment
    left = [each for each in deployment.pause_reasons if each != reason]
    changes: dict[str, Any] = {"pause_reasons": left, "wake_at": tick.lease()}
    if not left and deployment.paused_at:
        changes["paused_at"] = None
        changes |= _shift_timers(tick, tick.now - deployment.paused_at)
    save_fenced(deployment, **changes)


def _shift_timers(tick: Tick, paused: timedelta) -> dict[str, datetime]:
    row, deadline = tick.row, tick.deployment.deadline_at
    if row is not None and row.status == StepStatus.RUNNING:
        row.state[PAUSED_SECONDS] = row.state.get(PAUSED_SECONDS, 0) + paused.total_seconds()
        row.save(update_fields=["state"])
    return {"deadline_at": deadline + paused} if deadline else {}
