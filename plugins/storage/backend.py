"""What the store asks of a storage: objects under keys, written whole or not at all."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.core.files import File

from plugins.storage.errors import ArtifactMissingError, StorageError

CHUNK_BYTES = 1 << 20


class Readable(Protocol):
    """Anything that bytes are read from once, in pieces."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing shows it; ``version`` only where the storage keeps earlier ones."""

    key: str
    size: int
    modified: datetime
    version: str = ""


@dataclass(frozen=True, slots=True)
class PresignedPut:
    """Leave to put one object by HTTP; every header must be sent exactly as it stands here."""

    url: str
    headers: Mapping[str, str]


class Backend(ABC):
    """Every method raises ``StorageError``, or ``ArtifactMissingError`` where nothing is stored."""

    @abstractmethod
    def describe(self) -> str:
        """Which storage this is, for messages: a directory, or a bucket and its server."""

    @abstractmethod
    def check(self) -> None:
        """Raise unless the storage answers."""

    @abstractmethod
    def exists(self, key: str) -> bool: ...

    @abstractmethod
    def size(self, key: str) -> int: ...

    @abstractmethod
    def put(self, key: str, source: Readable) -> None:
        """Store what ``source`` still holds; a reader never sees half of it."""

    @abstractmethod
    def open(self, key: str) -> AbstractContextManager["File[bytes]"]: ...

    @abstractmethod
    def reading(self, key: str, version: str = "") -> AbstractContextManager[Iterator[bytes]]:
        """The bytes in pieces as they arrive, of the newest version unless told another."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Nothing happens when it is not there."""

    @abstractmethod
    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """Every object below ``prefix`` whose key comes after ``after``, by key."""

    @abstractmethod
    def versions(self, key: str) -> Iterator[StoredObject]:
        """Every version kept of one object, the newest first; none where none are kept."""

    @abstractmethod
    def restore(self, key: str, version: str) -> None:
        """Make an earlier version the newest again."""

    @abstractmethod
    def presigned_get(self, key: str, seconds: int) -> str | None:
        """An address to read it from without credentials; None where there are no addresses."""

    @abstractmethod
    def presigned_put(self, key: str, size: int, digest: str, seconds: int) -> PresignedPut | None:
        """Leave to put ``size`` bytes with that sha256; None where there are no addresses."""

    @contextmanager
    def reaching(self, what: str = "") -> Iterator[None]:
        """Turn what storages raise into our errors; ``what`` names the object that is wanted."""
        try:
            yield
        except FileNotFoundError as error:
            raise self.missing(what) from error
        except OSError as error:
            raise self.unavailable(str(error), self.way_out(error)) from error

    def way_out(self, error: OSError) -> str:
        return "Check that it exists and is reachable, and its permissions."

    def missing(self, what: str) -> ArtifactMissingError:
        return ArtifactMissingError(f"{self.describe()} holds no artifact {what[-64:]}.")

    def unavailable(self, why: str, way_out: str) -> StorageError:
        return StorageError.of(self.describe(), why, way_out)
