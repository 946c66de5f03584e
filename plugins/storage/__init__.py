"""Where artifacts are kept: Django's storage under the alias ``artifacts``, by their sha256.

A key is written once and never changed. What comes out is digested again, because conditional
writes, versioning and locks differ between servers, and whoever may write to the bucket may replace
what was approved.
"""

from plugins.storage.backend import PresignedPut, StoredObject
from plugins.storage.errors import ArtifactMissingError, ArtifactTamperedError, StorageError
from plugins.storage.store import ArtifactStore

__all__ = [
    "ArtifactMissingError",
    "ArtifactStore",
    "ArtifactTamperedError",
    "PresignedPut",
    "StorageError",
    "StoredObject",
]
