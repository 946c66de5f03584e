"""Why a version may not be deployed: asked when a deployment is requested and when it begins."""

from deployments.dependencies import refuse_broken, refuse_unmet
from hotswap.lib.errors import ConflictError
from plugins.models import Environment, PluginVersion, VersionStatus

_WAY_OUT = {
    VersionStatus.DRAFT: "ask an approver to approve it",
    VersionStatus.REJECTED: "upload a new version",
    VersionStatus.YANKED: "choose another version",
    VersionStatus.REVOKED: "choose another version",
}


def refuse_candidate(
    candidate: PluginVersion, environment: Environment, *, is_rollback: bool = False
) -> None:
    """Raise ``ConflictError`` if the version may not run in the environment.

    Going back is a way out, so a rollback may break what came to need the newer version.
    """
    if not candidate.plugin.is_active:
        raise ConflictError(
            f"plugin {candidate.plugin.name} is not active; activate it first",
            code="plugin_disabled",
        )
    allowed = [VersionStatus.APPROVED, VersionStatus.DEPRECATED]
    if not environment.requires_approved_versions:
        allowed.append(VersionStatus.DRAFT)
    if candidate.status not in allowed:
        way_out = _WAY_OUT[VersionStatus(candidate.status)]
        raise ConflictError(
            f"{describe_status(candidate)} and cannot be deployed to {environment}; {way_out}",
            code=f"version_{candidate.status}",
        )
    refuse_unmet(candidate, environment)
    if not is_rollback:
        refuse_broken(candidate, environment)
        _refuse_revoked_key(candidate)


def describe_status(version: PluginVersion) -> str:
    """``echo 1.0.0 is yanked (it loses cents)``, with the reason that was given."""
    reason = f" ({version.status_reason})" if version.status_reason else ""
    return f"{version} is {version.status}{reason}"


def _refuse_revoked_key(candidate: PluginVersion) -> None:
    """Instances would refuse it: better to say so before anything begins."""
    key = candidate.signed_by
    if key is not None and key.revoked_at is not None:
        raise ConflictError(
            f"{candidate} is signed with key {key}, which is revoked; upload a version that is "
            "signed with another",
            code="publisher_key_revoked",
        )


def refuse_stable(
    candidate: PluginVersion, stable: PluginVersion | None, environment: Environment
) -> None:
    if stable is not None and candidate.pk == stable.pk:
        raise ConflictError(
            f"{candidate} is already the stable version in {environment}; there is nothing to do",
            code="already_stable",
        )


def refuse_frozen(environment: Environment) -> None:
    if environment.is_frozen:
        raise ConflictError(
            f"environment {environment} is frozen and allows rollbacks only; "
            "ask an administrator to unfreeze it",
            code="environment_frozen",
        )
