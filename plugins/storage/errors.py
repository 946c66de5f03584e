"""What can go wrong with a storage, in words that name it and the way out."""

from hotswap.lib.errors import NotFoundError, UnavailableError


class StorageError(UnavailableError):
    """The storage does not answer or refuses; the message names it and what to check."""

    code = "storage_unavailable"
    reason = ""
    way_out = ""

    @classmethod
    def of(cls, storage: str, reason: str, way_out: str) -> "StorageError":
        """The one sentence for logs and answers, and its two halves for reports."""
        error = cls(f"The artifact storage, {storage}, cannot be used: {reason}. {way_out}")
        error.reason, error.way_out = f"{storage}: {reason}", way_out
        return error


class ArtifactMissingError(NotFoundError):
    """Nothing is stored under that name."""

    code = "artifact_missing"


class ArtifactTamperedError(StorageError):
    """What is stored under a digest does not have it."""

    code = "artifact_tampered"
