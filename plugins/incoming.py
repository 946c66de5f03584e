"""An artifact on its way in, as the steps of ``plugins.intake`` see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.artifact import ArtifactContents
from plugins.manifest_types import Manifest
from plugins.models import Plugin


@dataclass(frozen=True, slots=True)
class SpooledArtifact:
    """A whole upload on local disk; ``filename`` is the name it was sent under, if any."""

    path: Path
    digest: str
    size: int
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """What was sent along with the bytes: the text of ``hotswap.toml``, a publisher's envelope."""

    manifest: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """An artifact that was read whole; ``manifest`` and ``contents`` are what was found inside."""

    plugin: Plugin
    by: Any
    artifact: SpooledArtifact
    manifest: Manifest
    contents: ArtifactContents
    beside: Beside
