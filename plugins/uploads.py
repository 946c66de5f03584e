"""An artifact on its way in: read once, checked whole, stored by its digest, then a row."""

import hashlib
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction

from hotswap import __version__
from hotswap.lib.errors import ConflictError, InvalidInputError, TooLargeError
from observability.audit import record_event
from plugins.artifact_check import read_artifact
from plugins.manifest import compatibility_problems, parse_manifest
from plugins.manifest_types import Manifest
from plugins.models import Plugin, PluginVersion
from plugins.querysets import sort_key
from plugins.rules import check_may_edit
from plugins.storage import ArtifactStore
from plugins.versions import parse_version


class Upload(Protocol):
    """Django's uploaded files and plain ``File`` objects."""

    name: str | None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class SpooledArtifact:
    """A whole upload on local disk, in a file of our own."""

    path: Path
    digest: str
    size: int


def upload_version(
    *, plugin: Plugin, file: Upload, by: Any, manifest_beside: str | None = None
) -> PluginVersion:
    """Store ``file`` as a new draft version of ``plugin``; refused files leave nothing behind.

    ``manifest_beside`` is a ``hotswap.toml`` sent along: it must say what the one inside says.
    """
    check_may_edit(by, plugin)
    with spool(file) as artifact:
        manifest = read_artifact(artifact.path, filename=_wheel_name(file)).manifest
        _check_beside(manifest, manifest_beside)
        check_manifest(manifest, plugin)
        _check_is_new(plugin, manifest, artifact.digest)
        ArtifactStore().save(artifact.path, artifact.digest)
    return _add_row(plugin, manifest, artifact, by)


@contextmanager
def spool(file: Upload) -> Iterator[SpooledArtifact]:
    """Copy the upload to a temporary file, no further than ``settings.UPLOAD_LIMIT_BYTES``."""
    limit, digest, size = settings.UPLOAD_LIMIT_BYTES, hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(prefix="hotswap-upload-") as copy:
        for chunk in file.chunks():
            size += len(chunk)
            if size > limit:
                raise TooLargeError(f"The artifact is larger than the limit of {limit} bytes.")
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        yield SpooledArtifact(Path(copy.name), digest.hexdigest(), size)


def check_manifest(manifest: Manifest, plugin: Plugin) -> None:
    """What only this system can say of a manifest: its plugin, its needs, its dependencies."""
    problems = compatibility_problems(
        manifest, python=platform.python_version(), hotswap=__version__
    )
    if manifest.name != plugin.name:
        problems["name"] = [f"is {manifest.name}, but the plugin is {plugin.name}"]
    if manifest.dependencies.python:
        problems["dependencies.python"] = [
            "is not supported in this release: put the packages into the artifact"
        ]
    missing = _missing_plugins(manifest)
    if missing:
        problems["dependencies.plugins"] = [f"{name} is not registered" for name in missing]
    if problems:
        key, messages = next(iter(problems.items()))
        raise InvalidInputError(
            f"The manifest does not fit: {key} {messages[0]}.",
            code="manifest_unfit",
            fields=problems,
        )


def _check_beside(manifest: Manifest, text: str | None) -> None:
    if text is not None and parse_manifest(text).digest() != manifest.digest():
        raise InvalidInputError(
            "The manifest sent beside the artifact differs from the one inside: leave it out.",
            code="manifest_differs",
            fields={"manifest": ["differs from the one inside the artifact"]},
        )


def _missing_plugins(manifest: Manifest) -> list[str]:
    wanted = set(manifest.dependencies.plugin_constraints())
    known = Plugin.objects.filter(name__in=wanted).values_list("name", flat=True)
    return sorted(wanted - set(known))


def _wheel_name(file: Upload) -> str | None:
    name = Path(file.name or "").name
    return name if name.endswith(".whl") else None


def _check_is_new(plugin: Plugin, manifest: Manifest, digest: str) -> None:
    if PluginVersion.objects.filter(plugin=plugin, version=manifest.version).exists():
        raise ConflictError(
            f"{plugin.name} {manifest.version} exists and versions never change: "
            "raise the version in hotswap.toml.",
            code="version_exists",
        )
    same = PluginVersion.objects.filter(artifact_digest=digest).select_related("plugin").first()
    if same:
        raise ConflictError(f"This very artifact is {same} already.", code="artifact_exists")


def _add_row(
    plugin: Plugin, manifest: Manifest, artifact: SpooledArtifact, by: Any
) -> PluginVersion:
    try:
        with transaction.atomic():
            version = PluginVersion.objects.create(
                plugin=plugin,
                version=manifest.version,
                sort_key=sort_key(parse_version(manifest.version)),
                artifact_digest=artifact.digest,
                artifact_bytes=artifact.size,
                manifest=manifest.as_dict(),
                manifest_digest=manifest.digest(),
                uploaded_by=by,
            )
            _record(version, by)
    except IntegrityError:
        # Another upload came first; its bytes must stay, ours must not.
        if not PluginVersion.objects.filter(artifact_digest=artifact.digest).exists():
            ArtifactStore().delete(artifact.digest)
        _check_is_new(plugin, manifest, artifact.digest)
        raise
    return version


def _record(version: PluginVersion, by: Any) -> None:
    record_event(
        actor=by.get_username(),
        action="version.uploaded",
        object_type="version",
        object_id=str(version),
        after={"digest": version.artifact_digest, "bytes": version.artifact_bytes},
    )
