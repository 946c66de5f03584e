"""What can go wrong with a storage, in words that name it and the way out."""

from hotswap.lib.errors import NotFoundError, UnavailableError


class StorageError(UnavailableError):
    """The storage does not answer or refuses; the message names it and what to check."""

    code = "storage_unavailable"


class ArtifactMissingError(NotFoundError):
    """Nothing is stored under that name."""

    code = "artifact_missing"


class ArtifactTamperedError(StorageError):
    """What is stored under a digest does not have it."""

    code = "artifact_tampered"
