"""Resolutions of Python dependencies as people ask for them and see them."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hotswap.lib.errors import ConflictError, NotFoundError
from observability.audit import record_event
from plugins.incoming import Incoming
from plugins.manifest_types import Manifest
from plugins.models import PluginVersion, Resolution, ResolutionStatus, VersionStatus
from plugins.rules import check_may_edit
from plugins.signals import approval_ending

REPEATABLE = (ResolutionStatus.RESOLVED, ResolutionStatus.FAILED)
RESOLVABLE = (VersionStatus.DRAFT, VersionStatus.APPROVED)


def index_problems(manifest: Manifest) -> list[str]:
    """Why its Python dependencies cannot even be tried here."""
    if not manifest.dependencies.python or settings.INDEX_URL:
        return []
    return [
        "needs a package index, and none is configured: set HOTSWAP_INDEX_URL, or put the packages "
        "into the artifact"
    ]


def request_first(incoming: Incoming, version: PluginVersion) -> None:
    """A step of ``plugins.intake``: the row that waits for a worker, with the version's own."""
    if incoming.manifest.dependencies.python:
        Resolution.objects.create(version=version)


def resolution_of(version: PluginVersion) -> Resolution:
    row = Resolution.objects.filter(version=version).first()
    if row is None:
        raise NotFoundError(f"{version} has no Python dependencies: there is nothing to resolve.")
    return row


def request_again(*, version: PluginVersion, by: Any) -> Resolution:
    """Resolve once more. One that waits or runs is left to it.

    An approval ends if other wheels come out of it; refused while anything runs the version.
    """
    check_may_edit(by, version.plugin)
    row = resolution_of(version)
    if version.status not in RESOLVABLE:
        raise ConflictError(
            f"{version} is {version.status}: only drafts and approved versions are resolved.",
            code="version_status",
        )
    with transaction.atomic():
        if version.status == VersionStatus.APPROVED:
            approval_ending.send(PluginVersion, version=version)
        changed = Resolution.objects.filter(pk=row.pk, status__in=REPEATABLE).update(
            status=ResolutionStatus.PENDING,
            attempt=F("attempt") + 1,
            requested_at=timezone.now(),
            started_at=None,
            finished_at=None,
            progress=[],
            problem=None,
        )
        if changed:
            _record(version, by, row)
    row.refresh_from_db()
    return row


def check_resolved(version: PluginVersion) -> None:
    """An approval names a lock, so there must be one, and no newer one on its way."""
    if not version.manifest.get("dependencies", {}).get("python"):
        return
    row = Resolution.objects.filter(version=version).first()
    if row and row.status == ResolutionStatus.RESOLVED and version.lock_digest:
        return
    status = row.status if row else "missing"
    way = "try it again first" if status == ResolutionStatus.FAILED else "wait for it"
    raise ConflictError(
        f"The Python dependencies of {version} are not resolved (the resolution is {status}): "
        f"{way}, because an approval names the exact packages.",
        code="dependencies_unresolved",
    )


def check_lock_stands(version: PluginVersion) -> None:
    """In the transaction of an approval: what was read of the lock holds until its commit."""
    row = PluginVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if row.lock_digest != version.lock_digest:
        raise ConflictError(
            f"{version} was resolved to other packages meanwhile: read it again, then decide.",
            code="dependencies_unresolved",
        )


def _record(version: PluginVersion, by: Any, row: Resolution) -> None:
    record_event(
        actor=by.get_username(),
        action="version.resolution_requested",
        object_type="version",
        object_id=str(version),
        after={"attempt": row.attempt + 1},
    )
