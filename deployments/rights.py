"""What a person may ask of a deployment, by role, by whose work it is and by its state."""

from typing import Any

from deployments.commands import ALLOWED_IN, NOT_ABOUT_OWN_WORK, CommandKind
from deployments.decisions import MANUAL
from deployments.models import Deployment, Status
from hotswap.lib.roles import Role, has_role

# What is offered to people; superseding is a part of starting the next deployment.
OFFERED = (
    CommandKind.APPROVE,
    CommandKind.REJECT,
    CommandKind.RESUME,
    CommandKind.PAUSE,
    CommandKind.SKIP,
    CommandKind.PROMOTE,
    CommandKind.ROLLBACK,
    CommandKind.ABORT,
)
_OWN_IS_ENOUGH = (
    CommandKind.PAUSE,
    CommandKind.RESUME,
    CommandKind.ROLLBACK,
    CommandKind.ABORT,
)


def may_deploy(user: Any) -> bool:
    return has_role(user, Role.DEVELOPER)


def is_own(user: Any, deployment: Deployment) -> bool:
    """Whether the person requested it, uploaded its candidate or owns its plugin."""
    return user.pk in (
        deployment.requested_by_id,
        deployment.candidate.uploaded_by_id,
        deployment.plugin.owner_id,
    )


def may_command(user: Any, deployment: Deployment, kind: CommandKind) -> bool:
    """By role alone; whether the state allows it is ``is_possible``."""
    if kind in _OWN_IS_ENOUGH and may_deploy(user) and is_own(user, deployment):
        return True
    if kind in NOT_ABOUT_OWN_WORK and is_own(user, deployment):
        return False
    return has_role(user, Role.APPROVER)


def is_possible(deployment: Deployment, kind: CommandKind) -> bool:
    """Whether it makes sense now, as far as the row alone can tell."""
    if deployment.status not in ALLOWED_IN[kind]:
        return False
    is_held = MANUAL in deployment.pause_reasons
    if kind is CommandKind.RESUME:
        return is_held
    if kind is CommandKind.PAUSE:
        return not is_held
    # Before it runs there is nothing to go back from, and while it runs going back is the way out.
    return kind is not CommandKind.ABORT or deployment.status != Status.IN_PROGRESS


def offered_commands(user: Any, deployment: Deployment) -> tuple[CommandKind, ...]:
    return tuple(
        kind
        for kind in OFFERED
        if is_possible(deployment, kind) and may_command(user, deployment, kind)
    )
