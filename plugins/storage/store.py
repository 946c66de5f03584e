"""The store: what goes in is named by its sha256, what comes out is digested again."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from storages.backends.s3 import S3Storage

from hotswap.lib.errors import InvalidInputError
from plugins.storage.backend import Backend
from plugins.storage.bucket import Bucket
from plugins.storage.directory import Directory
from plugins.storage.errors import ArtifactTamperedError
from plugins.storage.names import ARTIFACTS, artifact_key
from plugins.storage.staging import Staging

MAX_FETCHED_BYTES = 1 << 30
PRESIGNED_SECONDS = 300
_MEND = (
    "Run manage.py verifyartifacts, with --restore if the bucket keeps versions and with "
    "--remove-orphans if nothing needs it; else upload the plugin under a new version."
)


class ArtifactStore(Staging):
    """Content-addressed: saving the same bytes twice stores them once."""

    def __init__(self, storage: Storage | None = None) -> None:
        self.backend = backend_of(storage or storages["artifacts"])

    def save(self, path: Path, digest: str | None = None) -> str:
        """Store the file in pieces and return its sha256; with ``digest``, refuse any other."""
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
            if digest is not None and found != digest:
                raise InvalidInputError(
                    f"The file has the sha256 {found}, not {digest}: it was changed or cut off.",
                    code="digest_mismatch",
                )
            file.seek(0)
            self._put(artifact_key(found), file, path.stat().st_size)
        return found

    def fetch(self, digest: str, to: Path) -> None:
        """Write the artifact to ``to``; what does not have the digest is removed again."""
        checksum, total = sha256(), 0
        try:
            with self.backend.reading(artifact_key(digest)) as chunks, to.open("wb") as target:
                for chunk in chunks:
                    total += len(chunk)
                    if total > MAX_FETCHED_BYTES:
                        break
                    checksum.update(chunk)
                    target.write(chunk)
            self._check(digest, checksum.hexdigest())
        except BaseException:
            to.unlink(missing_ok=True)
            raise

    @contextmanager
    def open(self, digest: str) -> "Iterator[File[bytes]]":
        """The stored bytes as a file, not verified: for a download that the reader digests."""
        with self.backend.open(artifact_key(digest)) as file:
            yield file

    def exists(self, digest: str) -> bool:
        return self.backend.exists(artifact_key(digest))

    def size(self, digest: str) -> int:
        return self.backend.size(artifact_key(digest))

    def delete(self, digest: str) -> None:
        """Remove it; nothing happens when it is not there."""
        self.backend.delete(artifact_key(digest))

    def url(self, digest: str, seconds: int = PRESIGNED_SECONDS) -> str | None:
        """A presigned address to download it from; None where the storage has no addresses."""
        return self.backend.presigned_get(artifact_key(digest), seconds)

    def check(self) -> None:
        """Raise ``StorageError`` unless the storage answers; for ``doctor`` and readiness."""
        self.backend.check()

    def describe(self) -> str:
        """Which storage this is, for messages: a directory, or a bucket and its server."""
        return self.backend.describe()

    def _put(self, key: str, file: BinaryIO, size: int) -> None:
        if self.backend.exists(key):
            self._check_same(key, size)
        else:
            self.backend.put(key, file)

    def _check_same(self, key: str, size: int) -> None:
        """Whoever stores the same bytes again must not come to rely on altered ones."""
        stored = self.backend.size(key)
        if stored != size:
            raise ArtifactTamperedError(
                f"{self.describe()} has {stored} bytes under {key}, which must be {size}. {_MEND}"
            )
        checksum = sha256()
        with self.backend.reading(key) as chunks:
            for chunk in chunks:
                checksum.update(chunk)
        self._check(key.removeprefix(ARTIFACTS), checksum.hexdigest())

    def _check(self, digest: str, found: str) -> None:
        if found != digest:
            raise ArtifactTamperedError(
                f"What {self.describe()} holds as artifact {digest} has another sha256: it was "
                f"altered or is damaged. {_MEND}"
            )


def backend_of(storage: Storage) -> Backend:
    if isinstance(storage, S3Storage):
        return Bucket(storage)
    if isinstance(storage, FileSystemStorage):
        return Directory(storage)
    raise TypeError(f"artifacts cannot be kept in a {type(storage).__name__}")
