"""Why a version may not be deployed: asked when a deployment is requested and when it begins."""

from packaging.requirements import Requirement

from deployments.models import Route
from hotswap.lib.errors import ConflictError
from plugins.models import Environment, PluginVersion, VersionStatus
from plugins.versions import satisfies

_WAY_OUT = {
    VersionStatus.DRAFT: "ask an approver to approve it",
    VersionStatus.REJECTED: "upload a new version",
    VersionStatus.YANKED: "choose another version",
    VersionStatus.REVOKED: "choose another version",
}


def refuse_candidate(candidate: PluginVersion, environment: Environment) -> None:
    """Raise ``ConflictError`` if the version may not run in the environment."""
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
            f"{candidate} is {candidate.status} and cannot be deployed to {environment}; {way_out}",
            code=f"version_{candidate.status}",
        )
    _refuse_revoked_key(candidate)
    _refuse_missing_dependencies(candidate, environment)


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


def _refuse_missing_dependencies(candidate: PluginVersion, environment: Environment) -> None:
    wanted = _plugin_constraints(candidate)
    if not wanted:
        return
    routes = Route.objects.filter(environment=environment, plugin__name__in=wanted)
    stable = dict(routes.values_list("plugin__name", "stable__version"))
    missing = [
        f"{name}{constraint} (stable is {stable.get(name) or 'nothing'})"
        for name, constraint in wanted.items()
        if not stable.get(name) or not satisfies(stable[name], constraint)
    ]
    if missing:
        raise ConflictError(
            f"{candidate} needs {', '.join(missing)} in {environment}; deploy that first",
            code="dependency_missing",
        )


def _plugin_constraints(candidate: PluginVersion) -> dict[str, str]:
    """From the manifest's row; requirement texts were checked at upload."""
    texts = candidate.manifest.get("dependencies", {}).get("plugins", ())
    return {r.name: str(r.specifier) for r in map(Requirement, texts)}
