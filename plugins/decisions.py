"""What people decide about a version: each moves its status once, by compare-and-swap."""

from typing import Any

from django.db import transaction

from hotswap.lib.errors import ConflictError
from hotswap.lib.keys import signing_key
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
from plugins.signals import routing_changed, version_withdrawn
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
        _move(
            *(version, VersionStatus.APPROVED, comment),
            approval=statement,
            approval_signature=signature,
        )
        _decide(version, by, True, comment)
        _announce(version, by, VersionStatus.DRAFT, comment)
    return version


def reject_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    check_may_decide(by, version)
    with transaction.atomic():
        before = _move(version, VersionStatus.REJECTED, comment)
        _decide(version, by, False, comment)
        _announce(version, by, before, comment)
    return version


def deprecate_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """It runs on; nobody should deploy it any more."""
    return _retire(version, by, VersionStatus.DEPRECATED, comment)


def yank_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """What runs or pins it goes on and is warned; no deployment or pin takes it (PEP 592)."""
    return _retire(version, by, VersionStatus.YANKED, comment)


def revoke_version(*, version: PluginVersion, by: Any, comment: str = "") -> PluginVersion:
    """Instances stop it at once, also where it is stable: its calls answer ``version_revoked``."""
    return _retire(version, by, VersionStatus.REVOKED, comment)


def _retire(version: PluginVersion, by: Any, to: VersionStatus, comment: str) -> PluginVersion:
    check_may_decide(by, version)
    with transaction.atomic():
        before = _move(version, to, comment)
        _announce(version, by, before, comment)
        version_withdrawn.send(PluginVersion, version=version, by=by)
    return version


def _move(version: PluginVersion, to: VersionStatus, reason: str, **values: Any) -> str:
    """Move on from what the status is by now; return what it was."""
    row = PluginVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if to not in VERSION_TRANSITIONS[row.status]:
        raise ConflictError(_why_not(row, to), code="version_status")
    values |= {"status": to.value, "status_reason": reason}
    PluginVersion.objects.filter(pk=row.pk, status=row.status).update(**values)
    for name, value in values.items():
        setattr(version, name, value)
    return row.status


def _why_not(row: PluginVersion, to: VersionStatus) -> str:
    reason = f" ({row.status_reason})" if row.status_reason else ""
    if row.status == to:
        return f"{row} is {to} already{reason}: nothing was changed."
    sources = [status for status, targets in VERSION_TRANSITIONS.items() if to in targets]
    return (
        f"{row} is {row.status}{reason}: only a version that is {' or '.join(sources)} can become "
        f"{to}. A status never goes back: upload a new version instead."
    )


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
