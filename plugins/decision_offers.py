"""The words and the weight of what a person can decide about a version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hotswap.lib.errors import ForbiddenError
from hotswap.lib.roles import Role, has_role
from plugins import decisions
from plugins.models import VERSION_TRANSITIONS, PluginVersion, VersionStatus
from plugins.rules import check_may_decide

Service = Callable[..., PluginVersion]


@dataclass(frozen=True, slots=True)
class DecisionOffer:
    """``becomes`` is the status that it leads to; ``needs_reason``: users will ask why."""

    name: str
    becomes: VersionStatus
    label: str
    meaning: str
    service: Service
    style: str = ""
    needs_reason: bool = True


OFFERS: Mapping[str, DecisionOffer] = {
    offer.name: offer
    for offer in (
        DecisionOffer(
            "approve",
            VersionStatus.APPROVED,
            "Approve",
            "Your approval binds exactly this artifact, its manifest, its dependencies and what it "
            "may do. Instances check it before they load the version.",
            decisions.approve_version,
            style="primary",
            needs_reason=False,
        ),
        DecisionOffer(
            "reject",
            VersionStatus.REJECTED,
            "Reject",
            "It can then never be deployed. The author uploads a new version instead.",
            decisions.reject_version,
            style="danger",
        ),
        DecisionOffer(
            "deprecate",
            VersionStatus.DEPRECATED,
            "Deprecate",
            "It runs on and can still be deployed, but whoever looks is told to move on.",
            decisions.deprecate_version,
        ),
        DecisionOffer(
            "yank",
            VersionStatus.YANKED,
            "Yank",
            "It runs on where it runs, and no new deployment takes it. This cannot be undone.",
            decisions.yank_version,
            style="danger",
        ),
        DecisionOffer(
            "revoke",
            VersionStatus.REVOKED,
            "Revoke",
            "Instances stop it at once, also where it is stable: its calls are then refused. "
            "This cannot be undone.",
            decisions.revoke_version,
            style="danger",
        ),
    )
}


def offers_for(user: Any, version: PluginVersion) -> list[DecisionOffer]:
    """What the person may decide about the version as it stands now."""
    if refusal_for(user, version):
        return []
    possible = VERSION_TRANSITIONS[version.status]
    return [offer for offer in OFFERS.values() if offer.becomes in possible]


def refusal_for(user: Any, version: PluginVersion) -> str:
    """Why an Approver may not decide about this one; empty when they may. Others are not told."""
    try:
        check_may_decide(user, version)
    except ForbiddenError as error:
        return error.message
    return ""


def is_approver(user: Any) -> bool:
    return has_role(user, Role.APPROVER)
