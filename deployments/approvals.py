"""Who may say yes to a deployment, and how many did."""

from django.contrib.auth.models import User

from deployments.commands import CommandKind
from deployments.models import Deployment
from hotswap.lib.errors import ForbiddenError


def count_approvals(deployment: Deployment) -> int:
    """Distinct people; their right to decide was checked when they did."""
    rows = deployment.commands.filter(kind=CommandKind.APPROVE)
    return rows.values("by").distinct().count()


def refuse_own(deployment: Deployment, by: User, kind: CommandKind) -> None:
    """Raise ``ForbiddenError`` if ``by`` would decide about their own work."""
    own = {
        deployment.requested_by_id: "requested the deployment",
        deployment.candidate.uploaded_by_id: "uploaded the version",
        deployment.plugin.owner_id: "owns the plugin",
    }
    if by.pk in own:
        raise ForbiddenError(
            f"{by.get_username()} {own[by.pk]} and cannot {kind} it; ask somebody else",
            code="own_deployment",
        )
