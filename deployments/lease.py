"""Who may move a deployment now. ``wake_at`` is timer, lease and crash recovery in one column.

Claiming pushes it forward and raises ``revision``; every later write asks for that revision. A
worker that died, or was stopped for so long that another one took over, changes nothing.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from deployments.models import TRANSITIONS, Deployment
from deployments.models.deployment import ACTIVE
from hotswap.lib.errors import HotSwapError

# With traffic on the candidate the next worker must come soon, or nobody minds the guardrails.
LEASE = timedelta(seconds=10)
LEASE_WITH_TRAFFIC = timedelta(seconds=5)
RELATED = ("plugin", "environment", "candidate", "incumbent")


class LeaseLostError(HotSwapError):
    """Another worker moves the deployment now."""

    code = "lease_lost"


class IllegalTransitionError(HotSwapError):
    """The program asked for a move that the states do not have."""

    code = "illegal_transition"


def claim(pk: UUID | str, now: datetime) -> Deployment | None:
    """The deployment if it is due and nobody else was first, else nothing."""
    due = Deployment.objects.filter(pk=pk, status__in=ACTIVE, wake_at__lte=now)
    deployment = due.select_related(*RELATED).first()
    if deployment is None:
        return None
    until = now + lease_of(deployment)
    seen = due.filter(revision=deployment.revision, wake_at=deployment.wake_at)
    if not seen.update(wake_at=until, revision=F("revision") + 1):
        return None
    deployment.wake_at = until
    deployment.revision += 1
    return deployment


def lease_of(deployment: Deployment) -> timedelta:
    return LEASE_WITH_TRAFFIC if deployment.routed_at else LEASE


def save_fenced(deployment: Deployment, **changes: Any) -> None:
    """Write ``changes``, or raise ``LeaseLostError`` if the row moved since it was claimed."""
    _check_transition(deployment, changes.get("status", deployment.status))
    row = Deployment.objects.filter(
        pk=deployment.pk,
        status=deployment.status,
        cursor=deployment.cursor,
        revision=deployment.revision,
    )
    if not row.update(revision=F("revision") + 1, **changes):
        raise LeaseLostError(f"another worker moves deployment {deployment.pk} now")
    deployment.revision += 1
    for name, value in changes.items():
        setattr(deployment, name, value)


def check_lease(deployment: Deployment) -> None:
    """Inside a transaction: nobody else can take the deployment over before it ends."""
    row = Deployment.objects.select_for_update().filter(
        pk=deployment.pk, status=deployment.status, revision=deployment.revision
    )
    if not row.exists():
        raise LeaseLostError(f"another worker moves deployment {deployment.pk} now")


def wake(deployments: Any) -> int:
    """Make the deployments of this queryset due now."""
    return int(deployments.update(wake_at=timezone.now()))


def _check_transition(deployment: Deployment, status: str) -> None:
    if status != deployment.status and status not in TRANSITIONS.get(deployment.status, ()):
        raise IllegalTransitionError(
            f"deployment {deployment.pk} cannot go from {deployment.status} to {status}"
        )
