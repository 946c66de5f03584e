"""Uploads on their way in: objects under ``uploads/`` until they are verified and adopted.

Whoever may put one may replace it until the address expires. So what is verified is a copy of our
own, and only that copy gets a digest as its name.
"""

import tempfile
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from hotswap.lib.errors import InvalidInputError, TooLargeError
from plugins.storage.backend import Backend, PresignedPut, Readable
from plugins.storage.names import staging_key


class Staging:
    """The part of the store that holds what nobody has looked at yet."""

    backend: Backend

    def presigned_put(
        self, upload: UUID | str, size: int, digest: str, seconds: int
    ) -> PresignedPut | None:
        """Leave to put exactly these bytes; None where the platform must take them itself."""
        return self.backend.presigned_put(staging_key(upload), size, digest, seconds)

    def stage(self, upload: UUID | str, file: Readable, limit: int | None = None) -> int:
        """Keep what ``file`` holds, replacing an earlier attempt; returns the bytes that came."""
        counted = _Counted(file, limit)
        self.discard(upload)
        self.backend.put(staging_key(upload), counted)
        return counted.total

    def staged_size(self, upload: UUID | str) -> int:
        """Bytes of the upload; ``ArtifactMissingError`` when nothing has arrived."""
        return self.backend.size(staging_key(upload))

    def fetch_staged(self, upload: UUID | str, to: Path, digest: str, limit: int) -> None:
        """A verified copy of the upload, for reading what is in it; removed when refused."""
        try:
            _check_digest(self._copy(staging_key(upload), to, limit), digest)
        except BaseException:
            to.unlink(missing_ok=True)
            raise

    def adopt(self, upload: UUID | str, digest: str) -> None:
        """Verify the upload while copying it, store the copy under its digest, discard it."""
        with tempfile.TemporaryDirectory(prefix="hotswap-adopt-") as directory:
            copy = Path(directory, "artifact")
            self.fetch_staged(upload, copy, digest, self.staged_size(upload))
            self.save(copy, digest)
        self.discard(upload)

    def discard(self, upload: UUID | str) -> None:
        """Nothing happens when it is not there."""
        self.backend.delete(staging_key(upload))

    def save(self, path: Path, digest: str | None = None) -> str:
        """Of the store."""
        raise NotImplementedError

    def _copy(self, key: str, to: Path, limit: int) -> str:
        checksum, total = sha256(), 0
        with self.backend.reading(key) as chunks, to.open("wb") as target:
            for chunk in chunks:
                total += len(chunk)
                _check_size(total, limit)
                checksum.update(chunk)
                target.write(chunk)
        return checksum.hexdigest()


class _Counted:
    """Reads on, but not beyond the limit."""

    def __init__(self, source: Readable, limit: int | None) -> None:
        self._source, self._limit, self.total = source, limit, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.total += len(chunk)
        if self._limit is not None:
            _check_size(self.total, self._limit)
        return chunk


def _check_digest(found: str, digest: str) -> None:
    if found != digest:
        raise InvalidInputError(
            f"The upload has the sha256 {found}, not {digest}: it was changed or cut off.",
            code="digest_mismatch",
        )


def _check_size(total: int, limit: int) -> None:
    if total > limit:
        raise TooLargeError(f"The upload is larger than the {limit} bytes that were announced.")
