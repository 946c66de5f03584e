"""Where artifacts are kept: any storage of Django under the alias ``artifacts``, by their sha256.

A key is written once and never changed. What comes out is digested again, because conditional
writes, versioning and locks differ between servers, and whoever may write to the bucket may replace
what was approved.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from hotswap.lib.errors import InvalidInputError, NotFoundError, UnavailableError

CHUNK_BYTES = 1 << 20
MAX_FETCHED_BYTES = 1 << 30
PRESIGNED_SECONDS = 300
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MISSING = ("NoSuchKey", "404", "NotFound")


class StorageError(UnavailableError):
    """The storage does not answer or refuses; the message names it and what to check."""

    code = "storage_unavailable"


class ArtifactMissingError(NotFoundError):
    """Nothing is stored under that digest."""

    code = "artifact_missing"


class ArtifactTamperedError(StorageError):
    """What is stored under a digest does not have it."""

    code = "artifact_tampered"


class ArtifactStore:
    """Content-addressed: saving the same bytes twice stores them once."""

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage or storages["artifacts"]

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
            self._put(_key(found), file, path.stat().st_size)
        return found

    def fetch(self, digest: str, to: Path) -> None:
        """Write the artifact to ``to``; what does not have the digest is removed again."""
        checksum, total = sha256(), 0
        try:
            with self._reading(digest) as chunks, to.open("wb") as target:
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
        key = _key(digest)
        with self._reaching(digest), self._storage.open(key) as file:
            yield file

    def exists(self, digest: str) -> bool:
        with self._reaching(digest):
            return self._storage.exists(_key(digest))

    def size(self, digest: str) -> int:
        with self._reaching(digest):
            return self._storage.size(_key(digest))

    def delete(self, digest: str) -> None:
        """Remove it; nothing happens when it is not there."""
        with self._reaching(digest):
            self._storage.delete(_key(digest))

    def url(self, digest: str, seconds: int = PRESIGNED_SECONDS) -> str | None:
        """A presigned address to download it from; None where the storage has no addresses."""
        if isinstance(self._storage, FileSystemStorage):
            return None
        with self._reaching(digest):
            return self._storage.url(_key(digest), expire=seconds)  # type: ignore[call-arg]

    def check(self) -> None:
        """Raise ``StorageError`` unless the storage answers; for ``doctor`` and readiness."""
        with self._reaching("check"):
            if isinstance(self._storage, FileSystemStorage):
                self._directory(Path(self._storage.location))
            else:
                client = self._storage.connection.meta.client  # type: ignore[attr-defined]
                client.head_bucket(Bucket=self._storage.bucket_name)  # type: ignore[attr-defined]

    def describe(self) -> str:
        """Which storage this is, for messages: a directory, or a bucket and its server."""
        if isinstance(self._storage, FileSystemStorage):
            return f"directory {self._storage.location}"
        endpoint = getattr(self._storage, "endpoint_url", None) or "Amazon S3"
        return f"bucket {getattr(self._storage, 'bucket_name', '?')!r} at {endpoint}"

    def _put(self, key: str, file: BinaryIO, size: int) -> None:
        with self._reaching(key):
            if self._storage.exists(key):
                self._check_same(key, size)
            elif isinstance(self._storage, FileSystemStorage):
                self._put_in_directory(Path(self._storage.path(key)), file)
            else:
                self._put_in_bucket(key, file)

    def _check_same(self, key: str, size: int) -> None:
        """A cheap look; the digest is checked at every fetch."""
        stored = self._storage.size(key)
        if stored != size:
            raise ArtifactTamperedError(
                f"{self.describe()} has {stored} bytes under {key}, which must be {size}: remove "
                "that object and upload again."
            )

    def _put_in_directory(self, target: Path, file: BinaryIO) -> None:
        """Whole or not at all: a reader, and a restart after a crash, never see half a file."""
        self._directory(target.parent)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            with temporary.open("xb") as copy:
                while chunk := file.read(CHUNK_BYTES):
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
            temporary.chmod(0o444)
            with suppress(FileExistsError):  # another process was first with the same bytes
                os.link(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def _put_in_bucket(self, key: str, file: BinaryIO) -> None:
        stored = self._storage.save(key, File(file))
        if stored != key:  # another process was first, so Django chose a free name
            self._storage.delete(stored)

    def _directory(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def _reading(self, digest: str) -> Iterator[Iterator[bytes]]:
        """Chunks as they arrive. S3Storage's own file would first hold all of it in memory."""
        with self._reaching(digest), self._storage.open(_key(digest)) as file:
            stored = getattr(file, "obj", None)
            if stored is None:
                yield file.chunks(CHUNK_BYTES)
            else:
                yield stored.get()["Body"].iter_chunks(CHUNK_BYTES)

    def _check(self, digest: str, found: str) -> None:
        if found != digest:
            raise ArtifactTamperedError(
                f"What {self.describe()} holds as artifact {digest} has another sha256: it was "
                "altered or is damaged. Upload the version again under a new number."
            )

    @contextmanager
    def _reaching(self, what: str) -> Iterator[None]:
        """Turn what storages raise into ``StorageError`` or ``ArtifactMissingError``."""
        try:
            yield
        except FileNotFoundError as error:
            raise self._missing(what) from error
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _MISSING and what != "check":
                raise self._missing(what) from error
            raise self._unavailable(f"it answers {code or 'with an error'}") from error
        except (BotoCoreError, Boto3Error, OSError) as error:
            raise self._unavailable(str(error)) from error

    def _missing(self, what: str) -> ArtifactMissingError:
        return ArtifactMissingError(f"{self.describe()} holds no artifact {what[-64:]}.")

    def _unavailable(self, why: str) -> StorageError:
        return StorageError(
            f"The artifact storage, {self.describe()}, cannot be used: {why}. Check that it exists "
            "and is reachable, and the HOTSWAP_S3_* settings and permissions."
        )


def _key(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise InvalidInputError(f"{digest[:80]!r} is not a sha256 digest in lower-case hex.")
    return f"artifacts/sha256/{digest}"
