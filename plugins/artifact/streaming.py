"""The content of an entry, inflated in small pieces and never more than it declared."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from .errors import ArtifactError, shown
from .limits import CHUNK_BYTES, DEFLATED, Entry


def read_chunks(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The entry's content, counted and checked while it streams, never more than it declared."""
    crc = total = 0
    for chunk in _decompress(file, entry):
        total += len(chunk)
        if total > entry.size:
            raise _lie(entry, "unpacks to more bytes than it declares")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if total != entry.size:
        raise _lie(entry, "unpacks to fewer bytes than it declares")
    if crc != entry.crc:
        raise ArtifactError(
            "bad_checksum", f"The CRC-32 of {shown(entry.name)} does not match: pack it again."
        )


def _decompress(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    remaining, place = entry.compressed_size, entry.start
    engine = zlib.decompressobj(-15) if entry.method == DEFLATED else None
    while remaining:
        file.seek(place)
        packed = file.read(min(CHUNK_BYTES, remaining))
        if not packed:
            raise ArtifactError(
                "truncated", f"Entry {shown(entry.name)} is cut off: upload it again."
            )
        remaining -= len(packed)
        place += len(packed)
        yield from _inflate(engine, packed, entry) if engine else (packed,)
    if engine and (not engine.eof or engine.unused_data):
        raise _lie(entry, "does not end where it declares")


def _inflate(engine: "zlib._Decompress", packed: bytes, entry: Entry) -> Iterator[bytes]:
    try:
        while not engine.eof:
            chunk = engine.decompress(packed, CHUNK_BYTES)
            packed = engine.unconsumed_tail
            yield chunk
            # A short chunk means that the engine holds nothing back and wants the next input.
            if not packed and len(chunk) < CHUNK_BYTES:
                return
    except zlib.error as error:
        raise ArtifactError(
            "corrupt", f"Entry {shown(entry.name)} does not inflate: pack it again."
        ) from error
    if packed:
        raise _lie(entry, "does not end where it declares")


def _lie(entry: Entry, what: str) -> ArtifactError:
    return ArtifactError("lying_size", f"Entry {shown(entry.name)} {what}: pack it again.")
