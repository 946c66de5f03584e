"""Bounds of an artifact, and one entry of it."""

from dataclasses import dataclass

MAX_ENTRIES = 512
MAX_ENTRY_BYTES = 16 * 1024 * 1024
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_ARTIFACT_BYTES = 64 * 1024 * 1024
# 512 names of the greatest length with the extra fields of honest tools take a quarter of it.
MAX_DIRECTORY_BYTES = 1024 * 1024
MAX_RATIO = 100
# Short runs of one byte compress beyond the ratio and harm nobody.
RATIO_APPLIES_FROM_BYTES = 64 * 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 16
MAX_MANIFEST_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024
# Packages such as babel come in a thousand files, compiled ones in large ones.
MAX_DEPENDENCY_ENTRIES = 8192
MAX_DEPENDENCY_ENTRY_BYTES = 64 * 1024 * 1024
MAX_DEPENDENCY_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_DEPENDENCY_DIRECTORY_BYTES = 4 * 1024 * 1024
STORED, DEFLATED = 0, 8  # the compression methods that are read


@dataclass(frozen=True)
class Entry:
    """One member, from a central directory that its local header agrees with.

    ``name`` has no trailing slash; ``start`` is where its (compressed) bytes begin in the file.
    """

    name: str
    is_directory: bool
    size: int
    compressed_size: int
    crc: int
    method: int
    start: int


@dataclass(frozen=True)
class Bounds:
    """How much one archive may hold."""

    entries: int
    entry_bytes: int
    unpacked_bytes: int
    directory_bytes: int
    archive_bytes: int = MAX_ARTIFACT_BYTES


ARTIFACT = Bounds(MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_UNPACKED_BYTES, MAX_DIRECTORY_BYTES)
DEPENDENCY = Bounds(
    MAX_DEPENDENCY_ENTRIES,
    MAX_DEPENDENCY_ENTRY_BYTES,
    MAX_DEPENDENCY_UNPACKED_BYTES,
    MAX_DEPENDENCY_DIRECTORY_BYTES,
)
