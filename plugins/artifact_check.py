"""An uploaded artifact against its own manifest: what must hold before it is stored."""

from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from hotswap.lib.errors import InvalidInputError
from plugins.artifact import ArtifactContents, ArtifactError, Wheel, inspect_artifact
from plugins.artifact.contents import native_refused
from plugins.artifact.limits import ARTIFACT, Bounds
from plugins.manifest import parse_manifest
from plugins.manifest_types import Manifest


class ArtifactRefusedError(InvalidInputError):
    """The artifact is not accepted; ``code`` is the refusal's own."""

    code = "invalid_artifact"


@dataclass(frozen=True, slots=True)
class CheckedArtifact:
    manifest: Manifest
    contents: ArtifactContents


def read_artifact(path: Path, *, filename: str | None = None) -> CheckedArtifact:
    """Read the whole file once; raise ``ArtifactRefusedError`` or ``ManifestError``."""
    try:
        contents = inspect_artifact(path, filename=filename, bounds=artifact_bounds())
        manifest = parse_manifest(contents.manifest_text or "")
        if contents.native_files and not manifest.permissions.native:
            raise native_refused(contents.native_files[0])
        _check_agreement(manifest, contents)
    except ArtifactError as error:
        raise refused(error.code, error.message) from error
    return CheckedArtifact(manifest, contents)


def artifact_bounds() -> Bounds:
    """As the settings have them: alike wherever artifacts are taken and wherever they are run."""
    return replace(
        ARTIFACT,
        archive_bytes=settings.ARTIFACT_LIMIT_BYTES,
        unpacked_bytes=settings.UNPACKED_LIMIT_BYTES,
    )


def refused(code: str, message: str) -> ArtifactRefusedError:
    """The domain's form of an ``ArtifactError``, also of one that a jail printed."""
    return ArtifactRefusedError(message, code=code, fields={"artifact": [message]})


def _check_agreement(manifest: Manifest, contents: ArtifactContents) -> None:
    if not contents.has_module(manifest.entry_module):
        raise ArtifactError(
            "no_entry_point",
            f"The entry point {manifest.entry_point} is not in the artifact: there is no module "
            f"{manifest.entry_module}. Add it, or correct entry_point in hotswap.toml.",
        )
    if contents.wheel and not _is_same(manifest, contents.wheel):
        raise ArtifactError(
            "wheel_mismatch",
            f"METADATA says {contents.wheel.name!a} {contents.wheel.version!a}, the "
            f"manifest {manifest.name} {manifest.version}: make them the same and build it again.",
        )


def _is_same(manifest: Manifest, wheel: Wheel) -> bool:
    try:
        same_version = Version(wheel.version) == Version(manifest.version)
    except InvalidVersion:
        return False
    return same_version and canonicalize_name(wheel.name) == canonicalize_name(manifest.name)
