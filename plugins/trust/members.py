"""The files of an artifact that was inspected, once more: digests for the SBOM, starts to scan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from plugins.artifact import Entry
from plugins.artifact.streaming import read_chunks
from plugins.trust.secret_scan import MAX_FILE_BYTES


@dataclass(frozen=True, slots=True)
class Member:
    """``start`` has at most one byte more than is scanned, so that a cut can be told."""

    path: str
    size: int
    sha256: str
    start: bytes


def read_members(artifact: Path, entries: Iterable[Entry]) -> Iterator[Member]:
    """Each file in the order of the entries; never more than one start in memory."""
    with artifact.open("rb") as file:
        for entry in entries:
            if entry.is_directory:
                continue
            digest, start = sha256(), bytearray()
            for chunk in read_chunks(file, entry):
                digest.update(chunk)
                start += chunk[: max(0, MAX_FILE_BYTES + 1 - len(start))]
            yield Member(entry.name, entry.size, digest.hexdigest(), bytes(start))
