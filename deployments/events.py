"""What happened to a deployment, in order. Written in the transaction that made it so."""

from typing import Any

from django.db.models import Max

from deployments.models import Deployment, DeploymentEvent
from observability.audit import record_event as record_audit

MESSAGE_CHARACTERS = 500
EXECUTOR = "executor"


def record_event(
    deployment: Deployment, kind: str, message: str = "", data: dict[str, Any] | None = None
) -> DeploymentEvent:
    """Call it inside a transaction: it locks the deployment's row, so numbers never collide."""
    Deployment.objects.select_for_update().only("pk").get(pk=deployment.pk)
    events = DeploymentEvent.objects.filter(deployment=deployment)
    last = events.aggregate(last=Max("sequence"))["last"] or 0
    return DeploymentEvent.objects.create(
        deployment=deployment,
        sequence=last + 1,
        kind=kind,
        message=message[:MESSAGE_CHARACTERS],
        data=data or {},
    )


def record_audit_event(deployment: Deployment, action: str, actor: str = EXECUTOR) -> None:
    """Who moved the deployment to the state that its row has now."""
    record_audit(
        actor=actor,
        action=f"deployment.{action}",
        object_type="deployment",
        object_id=str(deployment.pk),
        after={
            "plugin": deployment.plugin.name,
            "environment": deployment.environment.name,
            "candidate": deployment.candidate.version,
            "incumbent": deployment.incumbent.version if deployment.incumbent else None,
            "status": deployment.status,
            "reason": deployment.reason,
        },
    )
