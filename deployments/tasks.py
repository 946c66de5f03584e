"""The messages that wake the executor, each only a hint: a lost or doubled one does no harm."""

import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from deployments.alarms import record_new_alarms
from deployments.effects import LiveEffects
from deployments.executor import advance
from deployments.models import Deployment
from deployments.models.deployment import ACTIVE
from deployments.sealing import seal_missing
from hotswap.lib.database import scope_all

logger = structlog.get_logger(__name__)

TASK_SECONDS = 20
# Whoever is due later than this is left to beat.
STAY_SECONDS = 1.0
SHORTEST_SLEEP_SECONDS = 0.02


@shared_task
def advance_deployment(pk: str) -> None:
    """Advance this deployment and whatever else is due. Safe to run twice, late or concurrently."""
    with scope_all():
        _advance_logged(pk)
        if _advance_while_due():
            advance_due_deployments.delay()


@shared_task
def advance_due_deployments() -> None:
    """What beat asks every two seconds; it finds nothing while another worker follows the rows."""
    with scope_all():
        if _advance_while_due():
            advance_due_deployments.delay()


@shared_task
def seal_missing_secrets() -> None:
    """Seal to instances that joined what they cannot read yet. Safe to run twice."""
    with scope_all():
        seal_missing()


@shared_task
def record_alarms() -> None:
    """Write what instances found tampered with to the audit log. Safe to run twice."""
    with scope_all():
        record_new_alarms()


def hint_due_on_commit(deployment: Deployment) -> None:
    """Hurry the executor after the transaction; if the broker is away, beat finds the row."""
    transaction.on_commit(lambda: advance_deployment.delay(str(deployment.pk)), robust=True)


def _advance_while_due() -> bool:
    """Follow every deployment that is due now or within a second; whether any was left at the end.

    One worker follows all of them, so a long hold of one does not keep a process from the others.
    It stops when somebody else was faster: two would only take turns.
    """
    ends_at = time.monotonic() + TASK_SECONDS
    while time.monotonic() < ends_at:
        wake_at = _next_wake()
        if wake_at is None:
            return False
        time.sleep(max(SHORTEST_SLEEP_SECONDS, (wake_at - timezone.now()).total_seconds()))
        claimed = [pk for pk in _find_due() if _advance_logged(pk)]
        if not claimed:
            return False
    return True


def _next_wake() -> datetime | None:
    soon = timezone.now() + timedelta(seconds=STAY_SECONDS)
    rows = Deployment.objects.filter(status__in=ACTIVE, wake_at__lte=soon)
    return rows.order_by("wake_at").values_list("wake_at", flat=True).first()


def _find_due() -> list[UUID]:
    rows = Deployment.objects.filter(status__in=ACTIVE, wake_at__lte=timezone.now())
    return list(rows.order_by("wake_at").values_list("pk", flat=True))


def _advance_logged(pk: UUID | str) -> bool:
    """One deployment's trouble must not keep the others; when its lease lapses, it is retried."""
    try:
        return advance(pk, LiveEffects())
    except Exception:
        logger.exception("deployment_not_advanced", deployment=str(pk))
        return True
