"""The one way in which an artifact becomes a version, however its bytes arrived.

Read whole → ``CHECKS`` → ``VALUES`` → stored by digest → the row, and ``ROWS`` in its transaction →
``AFTER_COMMIT``. Whoever has something to say about a new version adds a function to one of them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from django.db import IntegrityError, transaction

from hotswap.lib.database import only_one
from hotswap.lib.errors import ConflictError
from observability.audit import record_event
from plugins.artifact_check import read_artifact
from plugins.dependencies import add_dependencies, check_dependencies
from plugins.incoming import Beside, Incoming, SpooledArtifact
from plugins.manifest_fit import check_manifest, check_manifest_beside
from plugins.models import Plugin, PluginVersion
from plugins.querysets import sort_key
from plugins.resolutions import request_first
from plugins.rules import check_may_edit
from plugins.storage import ArtifactStore
from plugins.tasks import hint_resolution
from plugins.trust.signatures import signature_values
from plugins.trust.taken_in import content_values
from plugins.versions import parse_version

Row = Callable[[Incoming, PluginVersion], None]


def take_in(
    *,
    plugin: Plugin,
    artifact: SpooledArtifact,
    by: Any,
    beside: Beside | None = None,
    with_row: Row | None = None,
) -> PluginVersion:
    """A new draft version of ``plugin``; what is refused leaves nothing behind.

    ``with_row`` runs in the transaction of the row, after ``ROWS``.
    """
    check_may_edit(by, plugin)
    incoming = _read(plugin, artifact, by, beside or Beside())
    for check in CHECKS:
        check(incoming)
    values = {name: value for add in VALUES for name, value in add(incoming).items()}
    # Nobody forgets bytes that somebody else is about to refer to.
    with only_one(f"artifact {artifact.digest}"):
        ArtifactStore().save(artifact.path, artifact.digest)
        return _add_row(incoming, values, (*ROWS, with_row) if with_row else ROWS)


def _read(plugin: Plugin, artifact: SpooledArtifact, by: Any, beside: Beside) -> Incoming:
    name = PurePath(artifact.filename).name
    wheel_name = name if name.endswith(".whl") else None
    checked = read_artifact(artifact.path, filename=wheel_name)
    return Incoming(plugin, by, artifact, checked.manifest, checked.contents, beside)


def _check_is_new(incoming: Incoming) -> None:
    plugin, version = incoming.plugin, incoming.manifest.version
    if PluginVersion.objects.filter(plugin=plugin, version=version).exists():
        raise ConflictError(
            f"{plugin.name} {version} exists and versions never change: "
            "raise the version in hotswap.toml.",
            code="version_exists",
        )
    rows = PluginVersion.objects.filter(artifact_digest=incoming.artifact.digest)
    same = rows.select_related("plugin").first()
    if same:
        raise ConflictError(f"This very artifact is {same} already.", code="artifact_exists")


def _add_row(incoming: Incoming, values: Mapping[str, Any], rows: tuple[Row, ...]) -> PluginVersion:
    try:
        with transaction.atomic():
            version = PluginVersion.objects.create(**_own_values(incoming), **values)
            for add in rows:
                add(incoming, version)
            for follow in AFTER_COMMIT:
                # The version exists by then, whatever becomes of what follows.
                transaction.on_commit(partial(follow, version), robust=True)
    except Exception as error:
        _forget_bytes(incoming)
        if isinstance(error, IntegrityError):
            _check_is_new(incoming)
        raise
    return version


def _forget_bytes(incoming: Incoming) -> None:
    """Another upload may have come first: its bytes must stay, ours must not."""
    digest = incoming.artifact.digest
    if not PluginVersion.objects.filter(artifact_digest=digest).exists():
        ArtifactStore().delete(digest)


def _own_values(incoming: Incoming) -> dict[str, Any]:
    manifest = incoming.manifest
    return {
        "plugin": incoming.plugin,
        "version": manifest.version,
        "sort_key": sort_key(parse_version(manifest.version)),
        "artifact_digest": incoming.artifact.digest,
        "artifact_bytes": incoming.artifact.size,
        "manifest": manifest.as_dict(),
        "manifest_digest": manifest.digest(),
        "uploaded_by": incoming.by,
    }


def _record(incoming: Incoming, version: PluginVersion) -> None:
    record_event(
        actor=incoming.by.get_username(),
        action="version.uploaded",
        object_type="version",
        object_id=str(version),
        after={"digest": version.artifact_digest, "bytes": version.artifact_bytes},
    )


# Each raises to refuse; nothing is stored yet.
CHECKS: tuple[Callable[[Incoming], None], ...] = (
    check_manifest_beside,
    check_manifest,
    _check_is_new,
    check_dependencies,
)
# Each gives fields of the row; it may refuse too.
VALUES: tuple[Callable[[Incoming], Mapping[str, Any]], ...] = (signature_values, content_values)
# Each writes rows beside the version's, in one transaction with it.
ROWS: tuple[Row, ...] = (_record, add_dependencies, request_first)
# Each starts what the new version needs, once everybody can see its row.
AFTER_COMMIT: tuple[Callable[[PluginVersion], None], ...] = (hint_resolution,)
