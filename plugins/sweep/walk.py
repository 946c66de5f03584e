"""The walk itself: stored objects and needed keys side by side, both in the order of their keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from plugins.storage import ArtifactMissingError, ArtifactStore, StoredObject
from plugins.storage.names import ARTIFACTS, STAGING, is_artifact_key
from plugins.sweep.findings import Problem, SweepFinding
from plugins.sweep.needed import is_needed, needed_keys

# An upload stores its bytes before its row, and a resolution its wheels before its lock.
GRACE = timedelta(hours=24)
_END = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Looked:
    """One object was looked at; a sweep that is broken off goes on after ``key``."""

    key: str
    size: int
    finding: SweepFinding | None


class Sweep:
    """Reads objects in pieces, never whole, and changes nothing."""

    def __init__(self, store: ArtifactStore, grace: timedelta = GRACE) -> None:
        self._backend = store.backend
        self._young_since = timezone.now() - grace

    def walk(self, after: str = "") -> Iterator[Looked]:
        """Every object from there on. Raises ``StorageError`` when the storage fails meanwhile."""
        if after < STAGING:
            yield from self._walk_artifacts(after)
        for stored in self._backend.objects(STAGING, after):
            yield Looked(stored.key, stored.size, self._orphan(stored))

    def intact(self, key: str, version: str = "") -> bool:
        """Whether what is stored there has the digest that is its name."""
        return self._digest(key, version) == key.removeprefix(ARTIFACTS)

    def _walk_artifacts(self, after: str) -> Iterator[Looked]:
        needed = needed_keys()
        stored = self._backend.objects(ARTIFACTS, after)
        for key, found in _side_by_side(needed, stored, after):
            if found is None:
                yield Looked(key, 0, self._missing(key, needed[key]))
            elif key in needed or is_artifact_key(key):
                yield Looked(key, found.size, self._look(found, needed.get(key, "")))
            else:
                yield Looked(key, found.size, self._orphan(found))

    def _look(self, stored: StoredObject, needed_by: str) -> SweepFinding | None:
        try:
            digest = self._digest(stored.key)
        except ArtifactMissingError:  # removed since it was listed
            return self._missing(stored.key, needed_by)
        if digest == stored.key.removeprefix(ARTIFACTS):
            return None if needed_by else self._orphan(stored)
        if not needed_by and not is_needed(stored.key):
            return self._orphan(stored)
        return SweepFinding(
            Problem.ALTERED,
            stored.key,
            stored.size,
            needed_by,
            found_digest=digest,
            earlier=self._earlier(stored.key),
        )

    def _missing(self, key: str, needed_by: str) -> SweepFinding | None:
        """The row may be gone since the sweep began, or the bytes may have come."""
        if not is_needed(key) or self._backend.exists(key):
            return None
        return SweepFinding(Problem.MISSING, key, 0, needed_by, earlier=self._earlier(key))

    def _orphan(self, stored: StoredObject) -> SweepFinding | None:
        if _aware(stored.modified) > self._young_since or is_needed(stored.key):
            return None
        return SweepFinding(Problem.ORPHANED, stored.key, stored.size)

    def _earlier(self, key: str) -> str:
        """The newest version of the object that is what it should be; "" when none is kept."""
        for version in self._backend.versions(key):
            if self.intact(key, version.version):
                return version.version
        return ""

    def _digest(self, key: str, version: str = "") -> str:
        checksum = sha256()
        with self._backend.reading(key, version) as chunks:
            for chunk in chunks:
                checksum.update(chunk)
        return checksum.hexdigest()


def _side_by_side(
    needed: Mapping[str, str], stored: Iterator[StoredObject], after: str
) -> Iterator[tuple[str, StoredObject | None]]:
    """Keys of both in order; None for one that is needed and not stored."""
    waiting = iter(sorted(key for key in needed if key > after))
    wanted = next(waiting, _END)
    for found in stored:
        while wanted < found.key:
            yield wanted, None
            wanted = next(waiting, _END)
        if wanted == found.key:
            wanted = next(waiting, _END)
        yield found.key, found
    while wanted != _END:
        yield wanted, None
        wanted = next(waiting, _END)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else timezone.make_aware(moment)
