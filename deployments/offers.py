"""The words and the weight of what a person can ask of a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.commands import CommandKind
from deployments.models import Deployment
from deployments.rights import OFFERED, may_command, offered_commands


@dataclass(frozen=True, slots=True)
class Offer:
    """``is_asked_twice``: what cannot be taken back is confirmed, with room for a reason."""

    kind: CommandKind
    label: str
    meaning: str
    is_asked_twice: bool = False
    style: str = ""


OFFERS: Mapping[CommandKind, Offer] = {
    offer.kind: offer
    for offer in (
        Offer(
            CommandKind.APPROVE,
            "Approve",
            "Your yes counts towards the approvals that this environment asks for.",
            style="primary",
        ),
        Offer(
            CommandKind.REJECT,
            "Decline",
            "The deployment ends before it begins. It can be requested again.",
            is_asked_twice=True,
        ),
        Offer(CommandKind.RESUME, "Resume", "The plan goes on where it stopped.", style="primary"),
        Offer(
            CommandKind.PAUSE,
            "Pause",
            "No further step begins. Both versions keep serving the tenants they have.",
        ),
        Offer(
            CommandKind.SKIP,
            "Skip this wait",
            "The plan goes on at once, without the rest of the watching.",
            is_asked_twice=True,
        ),
        Offer(
            CommandKind.PROMOTE,
            "Promote now",
            "Every wait that is left is skipped: the candidate goes to all tenants.",
            is_asked_twice=True,
        ),
        Offer(
            CommandKind.ROLLBACK,
            "Roll back",
            "Every tenant goes back to the version from before, which is still loaded.",
            is_asked_twice=True,
            style="danger",
        ),
        Offer(
            CommandKind.ABORT,
            "Abort",
            "The deployment ends before it begins. Nothing was changed by it.",
            is_asked_twice=True,
            style="danger",
        ),
    )
}


def offers_now(user: Any, deployment: Deployment) -> list[Offer]:
    """Buttons for this moment."""
    return [OFFERS[kind] for kind in offered_commands(user, deployment)]


def offers_ever(user: Any, deployment: Deployment) -> list[Offer]:
    """What the person may be asked to confirm while the page stays open."""
    if not deployment.is_active:
        return []
    return [
        OFFERS[kind]
        for kind in OFFERED
        if OFFERS[kind].is_asked_twice and may_command(user, deployment, kind)
    ]
