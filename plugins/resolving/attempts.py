"""The rows of resolutions: asked for, claimed by one worker, told of, finished or failed.

One resolution runs at a time on the whole platform, under an advisory lock that PostgreSQL gives
back when its holder dies; so whoever has the lock knows that a row still ``running`` was left by a
dead worker. ``attempt`` fences: a worker that lost its connection writes nothing more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from observability.audit import record_event
from plugins.locks import LockedPackage, lock_digest, lock_rows
from plugins.models import (
    DependencyLock,
    Plugin,
    PluginVersion,
    Resolution,
    ResolutionStatus,
    VersionDecision,
    VersionStatus,
)
from plugins.resolving.errors import ResolutionError, SupersededError
from plugins.signals import approval_ending, routing_changed
from plugins.trust.taken_in import record_packages

LOCK_KEY = 0x686F747377617001  # "hotswap" and which lock of ours
MAX_NOTES = 300
OPEN = (ResolutionStatus.PENDING, ResolutionStatus.RUNNING)
ACTOR = "resolver"


@contextmanager
def sole_resolver() -> Iterator[bool]:
    """Whether this process is the one that resolves until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])


def claim_next() -> Resolution | None:
    """The longest waiting resolution, now ``running``. Only within ``sole_resolver``."""
    rows = Resolution.objects.filter(status__in=OPEN).order_by("requested_at", "pk")
    row = rows.first()
    if row is None:
        return None
    # Whoever had it is dead, or believes to be alive: from now on it cannot write.
    again = int(row.status == ResolutionStatus.RUNNING)
    Resolution.objects.filter(pk=row.pk).update(
        status=ResolutionStatus.RUNNING,
        attempt=F("attempt") + again,
        started_at=timezone.now(),
        finished_at=None,
        progress=[],
        problem=None,
    )
    return Resolution.objects.select_related("version__plugin").get(pk=row.pk)


def save_note(row: Resolution, message: str) -> None:
    """Add a line to the progress that people watch."""
    entry = {"at": timezone.now().isoformat(), "message": message[:300]}
    row.progress = [*row.progress, entry][-MAX_NOTES:]
    _save(row, progress=row.progress)


def finish(row: Resolution, packages: list[LockedPackage]) -> None:
    """The lock, shared with every version that resolved to the same, becomes the version's."""
    rows = lock_rows(packages)
    digest = lock_digest(rows)
    with transaction.atomic():
        _save(
            row,
            status=ResolutionStatus.RESOLVED,
            finished_at=timezone.now(),
            problem=None,
        )
        lock, _ = DependencyLock.objects.get_or_create(digest=digest, defaults={"packages": rows})
        _set_lock(row.version, digest)
        record_packages(row.version, lock)
        _record(row.version, "version.resolved", {"lock": digest, "packages": len(rows)})


def fail(row: Resolution, error: ResolutionError) -> None:
    problem = {"code": error.code, "message": error.message, "fields": error.fields}
    with transaction.atomic():
        _save(
            row,
            status=ResolutionStatus.FAILED,
            finished_at=timezone.now(),
            problem=problem,
        )
        _record(row.version, "version.resolution_failed", {"code": error.code})


def _save(row: Resolution, **values: Any) -> None:
    ours = Resolution.objects.filter(
        pk=row.pk, attempt=row.attempt, status=ResolutionStatus.RUNNING
    )
    if not ours.update(**values):
        raise SupersededError(f"The resolution of {row.version} was taken over by another worker.")


def _set_lock(version: PluginVersion, digest: str) -> None:
    """An approval was of another set of packages: it ends, and the version is a draft again."""
    row = PluginVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if row.lock_digest == digest:
        return
    values: dict[str, Any] = {"lock_digest": digest}
    if row.approval is not None:
        _check_may_end(row)
        approval_ending.send(PluginVersion, version=version)
        values |= {"status": VersionStatus.DRAFT, "approval": None, "approval_signature": ""}
    PluginVersion.objects.filter(pk=row.pk).update(**values)
    if row.approval is not None:
        VersionDecision.objects.filter(version=row).delete()
        _record(version, "version.approval_voided", {"lock": digest, "was": row.lock_digest})
        routing_changed.send(Plugin, plugin=version.plugin)


def _check_may_end(version: PluginVersion) -> None:
    """Whoever deprecated, yanked or revoked it meanwhile must not see it come back as a draft."""
    if version.status != VersionStatus.APPROVED:
        raise ResolutionError(
            f"{version} is {version.status}: its packages do not change any more.",
            code="version_status",
        )


def _record(version: PluginVersion, action: str, after: Mapping[str, Any]) -> None:
    record_event(
        actor=ACTOR,
        action=action,
        object_type="version",
        object_id=str(version),
        after=after,
    )
