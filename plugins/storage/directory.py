"""Artifacts in a directory of this machine, or one that every machine has mounted."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from plugins.storage.backend import CHUNK_BYTES, Backend, PresignedPut, Readable, StoredObject
from plugins.storage.errors import ArtifactMissingError


class Directory(Backend):
    """Every file is read-only, whole, and flushed to the disk before it has its name."""

    def __init__(self, storage: FileSystemStorage) -> None:
        self._storage = storage
        self.root = Path(storage.location)

    def describe(self) -> str:
        return f"directory {self.root}"

    def check(self) -> None:
        with self.reaching():
            _make(self.root)
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError("it may not be written to")

    def exists(self, key: str) -> bool:
        with self.reaching(key):
            return self._storage.exists(key)

    def size(self, key: str) -> int:
        with self.reaching(key):
            return self._storage.size(key)

    def put(self, key: str, source: Readable) -> None:
        with self.reaching(key):
            target = self._path(key)
            _make(target.parent)
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
            try:
                with temporary.open("xb") as copy:
                    _write(source, copy)
                temporary.chmod(0o444)
                with suppress(FileExistsError):  # another process was first with the same bytes
                    os.link(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def open(self, key: str) -> "Iterator[File[bytes]]":
        with self.reaching(key), self._storage.open(key) as file:
            yield file

    @contextmanager
    def reading(self, key: str, version: str = "") -> Iterator[Iterator[bytes]]:
        with self.open(key) as file:
            yield file.chunks(CHUNK_BYTES)

    def delete(self, key: str) -> None:
        with self.reaching(key):
            self._storage.delete(key)

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """Also what a process that was killed while writing left, under a name of its own."""
        directory = self._path(prefix)
        with self.reaching(prefix):
            names = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
        for name in names:
            key = f"{prefix}{name}"
            if key > after:
                yield from self._entry(key)

    def versions(self, key: str) -> Iterator[StoredObject]:
        return iter(())

    def restore(self, key: str, version: str) -> None:
        raise self.unavailable("a directory keeps no earlier versions", "Restore it from a backup.")

    def presigned_get(self, key: str, seconds: int) -> str | None:
        return None

    def presigned_put(self, key: str, size: int, digest: str, seconds: int) -> PresignedPut | None:
        return None

    def way_out(self, error: OSError) -> str:
        return (
            "Check its owner, rights and free space, or set HOTSWAP_HOME or HOTSWAP_S3_BUCKET to "
            "keep artifacts elsewhere."
        )

    def _entry(self, key: str) -> Iterator[StoredObject]:
        """Nothing when it was removed since the listing."""
        with suppress(ArtifactMissingError), self.reaching(key):
            path = self._path(key)
            found = path.stat()
            if path.is_file():
                modified = datetime.fromtimestamp(found.st_mtime, UTC)
                yield StoredObject(key, found.st_size, modified)

    def _path(self, key: str) -> Path:
        return Path(self._storage.path(key))


def _make(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write(source: Readable, copy: BinaryIO) -> None:
    while chunk := source.read(CHUNK_BYTES):
        copy.write(chunk)
    copy.flush()
    os.fsync(copy.fileno())
