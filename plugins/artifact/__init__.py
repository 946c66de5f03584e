"""Artifacts from strangers: read strictly, refused for a stated reason, unpacked without trust.

Standard library only, and relative imports only: the same directory is executed inside a jail as
``python -I -S <this directory> unpack IN OUT``.
"""

from .contents import ArtifactContents, inspect_artifact
from .errors import ArtifactError
from .limits import Entry
from .unpacking import unpack_artifact
from .wheel import Wheel

__all__ = [
    "ArtifactContents",
    "ArtifactError",
    "Entry",
    "Wheel",
    "inspect_artifact",
    "unpack_artifact",
]
