"""A strict reader of zip files: what two readers could understand differently is refused.

``zipfile`` is lenient on purpose: it accepts bytes before, after and between the entries, and takes
names from one place while others take them from another (APPNOTE 6.3.10, sections 4.3 and 4.4).
Here the file must be exactly: local entry after local entry, central directory, end record.
"""

import os
import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO

from .errors import (
    ArtifactError,
    headers_differ,
    hidden_bytes,
    malformed_zip,
    overlapping,
    shown,
    split_over_disks,
    zip64_used,
)
from .limits import (
    ARTIFACT,
    DEFLATED,
    MAX_RATIO,
    RATIO_APPLIES_FROM_BYTES,
    STORED,
    Bounds,
    Entry,
)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE, _END_SIGNATURE = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_DESCRIPTOR_SIGNATURE = b"PK\7\x08"
_ENCRYPTED, _DESCRIPTOR, _PATCHED, _STRONG, _UTF8, _MASKED = 0x1, 0x8, 0x20, 0x40, 0x800, 0x2000
_ZIP64, _UNIX, _ASI_UNIX, _UNICODE_PATH = 0x0001, 0x000D, 0x756E, 0x7075
_UNIX_TIMES_AND_OWNER = 12  # what follows them is the target of a link, or a device


def read_entries(file: BinaryIO, bounds: Bounds = ARTIFACT) -> list[Entry]:
    """Every entry in the order of the file, or ``ArtifactError``."""
    size = file.seek(0, os.SEEK_END)
    if size > bounds.archive_bytes:
        raise ArtifactError(
            "too_large",
            f"The artifact is larger than {bounds.archive_bytes} bytes: leave out what the plugin "
            "does not need.",
        )
    count, directory_size, directory_at = _read_end(file, size, bounds)
    file.seek(directory_at)
    directory = file.read(directory_size)
    cursor, place, entries = 0, 0, []
    for _ in range(count):
        header, cursor = _read_central(directory, cursor)
        entry, place = _read_local(file, header, place, directory_at)
        entries.append(entry)
    if cursor != len(directory):
        raise malformed_zip("the central directory has bytes that belong to no entry")
    if place != directory_at:
        raise hidden_bytes("between its entries and its central directory")
    _check_sizes(entries, size, bounds)
    return entries


def _read_end(file: BinaryIO, size: int, bounds: Bounds) -> tuple[int, int, int]:
    """Number of entries, size and place of the central directory, from the last 22 bytes."""
    file.seek(0)
    if size < _END.size or file.read(4) not in (_LOCAL_SIGNATURE, _END_SIGNATURE):
        raise ArtifactError(
            "not_a_zip",
            "The artifact is not a zip or wheel file: build a wheel, or pack the directory of the "
            "plugin with manage.py packplugin.",
        )
    file.seek(size - _END.size)
    signature, disk, first_disk, here, count, length, place, comment = _END.unpack(
        file.read(_END.size)
    )
    if signature != _END_SIGNATURE or comment:
        raise ArtifactError(
            "truncated",
            "The zip does not end with its end record: it is cut off, or has a comment or bytes "
            "after its end. Pack it again without a comment.",
        )
    if disk or first_disk or here != count:
        raise split_over_disks()
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (length, place):
        raise zip64_used("The zip")
    if count > bounds.entries:
        raise ArtifactError(
            "too_many_entries",
            f"The zip has {count} entries, over {bounds.entries}: leave out what the plugin does "
            "not need.",
        )
    if place + length + _END.size != size:
        raise hidden_bytes("before its start or around its central directory")
    if length > bounds.directory_bytes:
        limit = bounds.directory_bytes
        raise hidden_bytes(f"in its central directory, which is over {limit} bytes")
    return count, length, place


@dataclass(frozen=True)
class _Header:
    """What the checks need of one central directory record."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    disk: int
    attributes: int
    offset: int


def _read_central(directory: bytes, cursor: int) -> tuple[_Header, int]:
    if cursor + _CENTRAL.size > len(directory):
        raise malformed_zip("the central directory is cut off")
    fields = _CENTRAL.unpack_from(directory, cursor)
    if fields[0] != _CENTRAL_SIGNATURE:
        raise malformed_zip("a record of the central directory has the wrong signature")
    flags, method, crc, compressed_size, size = fields[3], fields[4], *fields[7:10]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[10:17]
    start = cursor + _CENTRAL.size
    middle = start + name_length
    end = middle + extra_length + comment_length
    if end > len(directory):
        raise malformed_zip("the central directory is cut off")
    raw = directory[start:middle]
    name = _decode_name(raw, flags)
    _check_extra(directory[middle : middle + extra_length], name)
    if comment_length:
        raise hidden_bytes(f"in a comment on entry {shown(name)}")
    numbers = (flags, method, crc, compressed_size, size, disk, attributes, offset)
    header = _Header(name, raw, *numbers)
    _check_header(header)
    return header, end


def _check_header(header: _Header) -> None:
    name = shown(header.name)
    if header.flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise ArtifactError("encrypted", f"Entry {name} is encrypted: pack without a password.")
    if header.flags & _PATCHED or header.method not in (STORED, DEFLATED):
        raise ArtifactError(
            "compression", f"Entry {name} is neither stored nor deflated: pack it again."
        )
    if header.disk:
        raise split_over_disks()
    if 0xFFFFFFFF in (header.size, header.compressed_size, header.offset):
        raise zip64_used(f"Entry {name}")
    mode = header.attributes >> 16  # whatever system the record claims: readers ignore that
    expected = stat.S_IFDIR if header.raw_name.endswith(b"/") else stat.S_IFREG
    if stat.S_IFMT(mode) not in (0, expected):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file or directory"
        raise ArtifactError("special_file", f"Entry {name} is {kind}: pack the file itself.")


def _read_local(
    file: BinaryIO, header: _Header, place: int, directory_at: int
) -> tuple[Entry, int]:
    """The entry, and where the next one must begin. Entries must lie in order, without gaps."""
    name = shown(header.name)
    if header.offset != place:
        raise overlapping(name, "overlaps another, or leaves a gap before it")
    file.seek(place)
    raw = file.read(_LOCAL.size)
    if len(raw) < _LOCAL.size or raw[:4] != _LOCAL_SIGNATURE:
        raise malformed_zip(f"entry {name} has no local header")
    fields = _LOCAL.unpack(raw)
    flags, method, name_length, extra_length = fields[2], fields[3], fields[9], fields[10]
    local_name, extra = file.read(name_length), file.read(extra_length)
    _check_extra(extra, header.name)
    sizes = fields[6], fields[7], fields[8]
    known = (header.crc, header.compressed_size, header.size)
    deferred = bool(flags & _DESCRIPTOR)
    agrees = sizes == known or (deferred and sizes == (0, 0, 0))
    if local_name != header.raw_name or (flags, method) != (header.flags, header.method):
        raise headers_differ(name)
    if not agrees:
        raise headers_differ(name)
    start = place + _LOCAL.size + name_length + extra_length
    end = start + header.compressed_size
    end += _descriptor_length(file, end, known, name) if deferred else 0
    if end > directory_at:
        raise overlapping(name, "runs into the central directory")
    return _entry(header, start), end


def _entry(header: _Header, start: int) -> Entry:
    is_directory = header.raw_name.endswith(b"/")
    if is_directory and (header.size or header.compressed_size):
        raise ArtifactError(
            "file_and_directory", f"Directory {shown(header.name)} has content: pack it again."
        )
    if header.method == STORED and header.size != header.compressed_size:
        raise ArtifactError(
            "lying_size", f"Stored entry {shown(header.name)} lies on its size: pack it again."
        )
    return Entry(
        name=header.name.removesuffix("/"),
        is_directory=is_directory,
        size=header.size,
        compressed_size=header.compressed_size,
        crc=header.crc,
        method=header.method,
        start=start,
    )


def _descriptor_length(file: BinaryIO, at: int, known: tuple[int, int, int], name: str) -> int:
    """A data descriptor, with or without its signature, must repeat the directory's numbers."""
    file.seek(at)
    raw = file.read(16)
    for prefix in (_DESCRIPTOR_SIGNATURE, b""):
        length = len(prefix) + 12
        if (
            raw.startswith(prefix)
            and len(raw) >= length
            and (struct.unpack_from("<3L", raw, len(prefix)) == known)
        ):
            return length
    raise headers_differ(name)


def _decode_name(raw: bytes, flags: int) -> str:
    """ASCII, or UTF-8 where the flag says so; code page 437 means something else to each reader."""
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise ArtifactError(
            "bad_name",
            f"Entry name {raw[:60]!a} is neither ASCII nor marked UTF-8: rename it.",
        ) from error


def _check_extra(extra: bytes, name: str) -> None:
    """Refuse extra fields with a second size or name, or a link; others mean nothing here."""
    cursor = 0
    while cursor + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, cursor)
        if kind == _ZIP64:
            raise zip64_used(f"Entry {shown(name)}")
        if kind == _UNICODE_PATH:
            raise ArtifactError(
                "header_mismatch", f"Entry {shown(name)} has a second name: pack it again."
            )
        if kind == _ASI_UNIX or (kind == _UNIX and length > _UNIX_TIMES_AND_OWNER):
            raise ArtifactError(
                "special_file", f"Entry {shown(name)} is a link or a device: pack the file itself."
            )
        cursor += 4 + length
    if cursor != len(extra):
        raise malformed_zip(f"an extra field of entry {shown(name)} is cut off")


def _check_sizes(entries: list[Entry], file_size: int, bounds: Bounds) -> None:
    """Declared sizes; what really comes out is counted again while it streams."""
    total = sum(entry.size for entry in entries)
    for entry in entries:
        if entry.size > bounds.entry_bytes:
            raise ArtifactError(
                "entry_too_large",
                f"Entry {shown(entry.name)} is over {bounds.entry_bytes} bytes: split it or leave "
                "it out.",
            )
        _check_ratio(entry.size, entry.compressed_size, f"Entry {shown(entry.name)}")
    if total > bounds.unpacked_bytes:
        raise ArtifactError(
            "unpacked_too_large",
            f"The zip unpacks to over {bounds.unpacked_bytes} bytes: leave out what the plugin "
            "does not need.",
        )
    _check_ratio(total, file_size, "The zip")


def _check_ratio(size: int, compressed_size: int, what: str) -> None:
    if size > RATIO_APPLIES_FROM_BYTES and size > MAX_RATIO * max(compressed_size, 1):
        raise ArtifactError(
            "zip_bomb",
            f"{what} unpacks to over {MAX_RATIO} times its size: leave such filler out.",
        )
