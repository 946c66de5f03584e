"""What people decide about a version: each moves its status once, by compare-and-swap."""

from typing import Any

from django.db import transaction

from hotswap.lib.errors import ConflictError, ForbiddenError
from hotswap.lib.keys import signing_key
from hotswap.lib.roles import Role, has_role
from observability.audit import record_event
from plugins.approval import make_statement, sign_approval
from plugins.models import (
    VERSION_TRANSITIONS,
    Plugin,
    PluginVersion,
    VersionDecision,
    VersionStatus,
)
from plugins.resolutions import check_lock_stands, check_resolved
from plugins.rules import check_may_decide
from plugins.signals import routing_changed
from plugins.trust.approvable import check_approvable


def approve_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """Bind the version's digests and permissions to the approver; the platform countersigns."""
    check_may_decide(by, version)
    if VersionStatus.APPROVED in VERSION_TRANSITIONS[version.status]:
        check_approvable(version)
    check_resolved(version)
    statement = make_statement(
        plugin=version.plugin.name,
        version=version.version,
        artifact_digest=version.artifact_digest,
        manifest_digest=version.manifest_digest,
        lock_digest=version.lock_digest,
        permissions=version.manifest.get("permissions", {}),
        approvers=[by.pk],
        signature=version.signature,
    )
    signature = sign_approval(statement, signing_key())
    with transaction.atomic():
        check_lock_stands(version)
        _move(version, VersionStatus.APPROVED, approval=statement, approval_signature=signature)
        _decide(version, by, True, comment)
        _announce(version, by, VersionStatus.DRAFT, comment)
    return version


def reject_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    check_may_decide(by, version)
    with transaction.atomic():
        before = _move(version, VersionStatus.REJECTED)
        _decide(version, by, False, comment)
        _announce(version, by, before, comment)
    return version


def deprecate_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """It runs on; nobody should deploy it any more."""
    return _retire(version, by, VersionStatus.DEPRECATED, comment)


def yank_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """It runs on where it runs; no new deployment takes it."""
    return _retire(version, by, VersionStatus.YANKED, comment)


def revoke_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """Instances stop it at once, also where it is stable: its calls answer ``version_revoked``."""
    return _retire(version, by, VersionStatus.REVOKED, comment)


def _retire(version: PluginVersion, by: Any, to: VersionStatus, comment: str) -> PluginVersion:
    if not has_role(by, Role.APPROVER):
        raise ForbiddenError("Only an Approver or an Admin may decide about versions.")
    with transaction.atomic():
        before = _move(version, to)
        _announce(version, by, before, comment)
    return version


def _move(version: PluginVersion, to: VersionStatus, **values: Any) -> str:
    """Move on from what the status is by now; return what it was."""
    row = PluginVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if to not in VERSION_TRANSITIONS[row.status]:
        sources = [status for status, targets in VERSION_TRANSITIONS.items() if to in targets]
        raise ConflictError(
            f"{version} is {row.status}: only a version that is {' or '.join(sources)} "
            f"can become {to}.",
            code="version_status",
        )
    PluginVersion.objects.filter(pk=row.pk, status=row.status).update(status=to, **values)
    for name, value in {"status": to.value, **values}.items():
        setattr(version, name, value)
    return row.status


def _decide(version: PluginVersion, by: Any, approved: bool, comment: str) -> None:
    VersionDecision.objects.create(version=version, user=by, approved=approved, comment=comment)


def _announce(version: PluginVersion, by: Any, before: str, comment: str) -> None:
    record_event(
        actor=by.get_username(),
        action=f"version.{version.status}",
        object_type="version",
        object_id=str(version),
        before={"status": before},
        after={"status": version.status, "comment": comment, "digest": version.artifact_digest},
    )
    routing_changed.send(Plugin, plugin=version.plugin)
