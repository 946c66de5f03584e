"""Archives that grow (P03), lie about their sizes (P04), or have too many entries (P05)."""

import random
import struct
import zipfile
import zlib

import pytest

from plugins.artifact import inspect_artifact
from tests.artifacts import (
    Member,
    good_members,
    manifest_text,
    plugin_zip,
    raw_zip,
    with_member,
    zip_bytes,
)
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db
MEBIBYTE = 1 << 20


def overlapping_fully(count):
    """Every record of the directory names the same kernel (Fifield's first construction)."""
    kernel = Member(b"kernel", bytes(60_000), method=8)
    others = [
        Member(b"copy%d" % n, bytes(60_000), method=8, local_name=b"kernel", offset=0)
        for n in range(count)
    ]
    return raw_zip(kernel, *others)


def overlapping_by_quotes(count):
    """Each file quotes the local header of the next in a stored block, and goes on with it."""
    content, packed = bytes(MEBIBYTE), Member(b"", bytes(MEBIBYTE), method=8).packed()
    body, records = b"", []
    for number in reversed(range(count)):
        if body:
            quote = body[: 30 + 6]
            content = quote + content
            packed = struct.pack("<B2H", 0, len(quote), len(quote) ^ 0xFFFF) + quote + packed
        name = b"file%02d" % number
        sizes = (zlib.crc32(content), len(packed), len(content))
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, *sizes, len(name), 0) + name
        body = head + packed
        records.append((name, sizes, len(body)))
    directory = b"".join(
        struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 0x31E, 20, 0, 8, 0, 33, *sizes, len(name), 0, 0, 0, 0, 0o100644 << 16),
            len(body) - length,
        )
        + name
        for name, sizes, length in reversed(records)
    )
    numbers = (count, count, len(directory), len(body), 0)
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *numbers)


def nested(depth, width=16):
    """42.zip's construction: zips of the same zip, down to a file of zeros."""
    data = zip_bytes({"zeros": bytes(4 * MEBIBYTE)})
    for _ in range(depth):
        data = zip_bytes({f"{n:02}.zip": data for n in range(width)})
    return data


QUARTER_RANDOM = random.Random(3).randbytes(MEBIBYTE // 4) + bytes(15 * MEBIBYTE)
BOMBS = {
    "one file of zeros": Attack(
        plugin_zip({"zeros.bin": bytes(8 * MEBIBYTE)}),
        "zip_bomb",
        ("zeros.bin", "100 times", "leave such filler out"),
    ),
    "many files, each within the ratio of small ones": Attack(
        plugin_zip({f"zeros{n:03}.bin": bytes(64 * 1024) for n in range(500)}),
        "zip_bomb",
        ("The zip", "100 times", "leave such filler out"),
    ),
    "a file over 16 MiB": Attack(
        zip_bytes({"large.bin": bytes(16 * MEBIBYTE + 1)}, compression=zipfile.ZIP_STORED),
        "entry_too_large",
        ("large.bin", "split it or leave it out"),
    ),
    "over 64 MiB in all": Attack(
        plugin_zip({f"part{n}.bin": QUARTER_RANDOM for n in range(5)}),
        "unpacked_too_large",
        ("The zip", "leave out"),
    ),
    "files that share one kernel": Attack(
        overlapping_fully(200), "overlapping_entries", ("copy0", "overlaps", "pack it again")
    ),
    "files that quote each other's headers": Attack(
        overlapping_by_quotes(20), "overlapping_entries", ("file01", "overlaps", "pack it again")
    ),
    "the bomb that is named 42": Attack(nested(2), "no_manifest", ("hotswap.toml", "add it")),
    "an outer layer of nested bombs that is one itself": Attack(
        plugin_zip({"bomb.zip": zip_bytes({"zeros": bytes(60_000)}) * 20_000}),
        "zip_bomb",
        ("100 times", "leave such filler out"),
    ),
    "another compression that packs tighter": Attack(
        with_member(Member(b"zeros.bin", b"BZh9", method=12)), "compression", ("zeros.bin", "again")
    ),
    "LZMA": Attack(
        with_member(Member(b"zeros.bin", b"\x5d\0\0", method=14)),
        "compression",
        ("zeros.bin", "again"),
    ),
    "a password": Attack(
        with_member(Member(b"secret.bin", b"x" * 20, flags=0x801)),
        "encrypted",
        ("secret.bin", "without a password"),
    ),
}


@pytest.mark.parametrize(**table(BOMBS))
def test_a_bomb_is_refused_that_has(refused, attack):
    """P03"""
    refused(attack)


def test_the_bomb_of_quotes_is_one(tmp_path):
    """P03: an honest reader would unpack far more than the archive's bytes."""
    path = tmp_path / "quotes.zip"
    path.write_bytes(overlapping_by_quotes(20))
    with zipfile.ZipFile(path) as archive:
        inflated = zlib.decompressobj(-15).decompress(path.read_bytes()[36:])
        total = sum(info.file_size for info in archive.infolist())

    assert len(inflated) > MEBIBYTE
    assert total > 1000 * path.stat().st_size


def test_a_zip_within_the_artifact_is_a_file_and_never_opened(echo, upload, tmp_path):
    """P03: what is packed again inside counts with the bytes of its own archive."""
    bomb = nested(1)
    answer = upload(plugin_zip({"data/bomb.zip": bomb}))
    (tmp_path / "kept.zip").write_bytes(plugin_zip({"data/bomb.zip": bomb}))

    assert answer.status_code == 201, answer.json()
    assert inspect_artifact(tmp_path / "kept.zip").unpacked_bytes < len(bomb) + 2_000


class Padded(Member):
    """Bytes after the end of the compressed stream, inside the entry."""

    def packed(self):
        return super().packed() + b"hidden"


class Broken(Member):
    """A stream that is none."""

    def packed(self):
        return b"\xff" * 20


class Unfinished(Member):
    """A stream that stops before its end mark."""

    def packed(self):
        return super().packed()[:-4]


TWENTY = b"twenty bytes of text"


def descriptor(*numbers, signature=b"PK\7\x08"):
    return signature + struct.pack("<3L", *numbers)


def lying(member, code, *says):
    return Attack(with_member(member), code, (member.name.decode(), *says))


def grown_into_the_directory():
    """The last entry's sizes, in both headers, reach over the directory's beginning."""
    members = good_members()
    data = bytearray(raw_zip(*members))
    length = len(members[1].content) + 40
    for place in (data.rindex(b"PK\3\4") + 18, data.rindex(b"PK\1\2") + 20):
        struct.pack_into("<2L", data, place, length, length)
    return bytes(data)


TRUE = (zlib.crc32(TWENTY), len(TWENTY), len(TWENTY))
LIES = {
    "unpacks to more than it declares": lying(
        Member(b"a.txt", TWENTY, declared_size=10, method=8), "lying_size", "more bytes", "again"
    ),
    "unpacks to a bomb that it does not declare": lying(
        Member(b"a.txt", bytes(30 * MEBIBYTE), declared_size=50_000, method=8),
        "lying_size",
        "more bytes",
    ),
    "unpacks to less than it declares": lying(
        Member(b"a.txt", TWENTY, declared_size=30, method=8), "lying_size", "fewer bytes", "again"
    ),
    "is stored with two sizes": lying(
        Member(b"a.txt", TWENTY, declared_size=19), "lying_size", "again"
    ),
    "declares 4 GiB": lying(
        Member(b"a.txt", TWENTY, declared_size=0xFFFFFFFE, method=8), "entry_too_large", "split"
    ),
    "declares what only zip64 can": lying(
        Member(b"a.txt", TWENTY, declared_size=0xFFFFFFFF, method=8), "zip64", "again without"
    ),
    "gives its sizes in a zip64 field": lying(
        Member(b"a.txt", TWENTY, extra=struct.pack("<2H2Q", 1, 16, 20, 20)), "zip64", "without"
    ),
    "has bytes after its stream": lying(
        Padded(b"a.txt", TWENTY, method=8), "lying_size", "does not end where it declares"
    ),
    "does not inflate": lying(Broken(b"a.txt", TWENTY, method=8), "corrupt", "again"),
    "stops before its end": lying(Unfinished(b"a.txt", TWENTY, method=8), "lying_size", "again"),
    "has another CRC": lying(Member(b"a.txt", TWENTY, declared_crc=1), "bad_checksum", "again"),
    "has a descriptor with another CRC": lying(
        Member(b"a.txt", TWENTY, flags=0x808, descriptor=descriptor(0, *TRUE[1:])),
        "header_mismatch",
        "again",
    ),
    "has a descriptor with another size": lying(
        Member(b"a.txt", TWENTY, flags=0x808, descriptor=descriptor(*TRUE[:2], 1)),
        "header_mismatch",
        "again",
    ),
    "has a bare descriptor that lies": lying(
        Member(b"a.txt", TWENTY, flags=0x808, descriptor=descriptor(1, 2, 3, signature=b"")),
        "header_mismatch",
        "again",
    ),
    "promises a descriptor that is not there": lying(
        Member(b"a.txt", TWENTY, flags=0x808), "header_mismatch", "again"
    ),
    "has a descriptor that it does not announce": lying(
        Member(b"z.txt", TWENTY, descriptor=descriptor(*TRUE)), "overlapping_entries", "again"
    ),
    "reaches into the directory": Attack(
        grown_into_the_directory(), "overlapping_entries", ("echo.py", "runs into", "again")
    ),
}
# What lies behind it: an entry with a surplus is noticed at the next one.
LIES["has a descriptor that it does not announce"] = Attack(
    raw_zip(Member(b"z.txt", TWENTY, descriptor=descriptor(*TRUE)), *good_members()),
    "overlapping_entries",
    ("hotswap.toml", "leaves a gap", "again"),
)


@pytest.mark.parametrize(**table(LIES))
def test_an_entry_is_refused_that(refused, attack):
    """P04"""
    refused(attack)


def test_an_honest_descriptor_is_read(echo, upload):
    """P04: streaming writers leave sizes to a descriptor, with its signature or without."""
    data = with_member(
        Member(b"a.txt", TWENTY, flags=0x808, descriptor=descriptor(*TRUE)),
        Member(b"b.txt", TWENTY, flags=0x808, descriptor=descriptor(*TRUE, signature=b"")),
    )

    assert upload(data).status_code == 201


def with_count(count, data):
    """The end record claims another number of entries."""
    changed = bytearray(data)
    struct.pack_into("<2H", changed, len(data) - 22 + 8, count, count)
    return bytes(changed)


EMPTY = {f"f{number}.txt": "" for number in range(511)}
CROWDS = {
    "513 entries": Attack(
        plugin_zip(EMPTY), "too_many_entries", ("513 entries", "512", "leave out")
    ),
    "65,535 entries, the mark of zip64": Attack(
        with_count(0xFFFF, plugin_zip()), "zip64", ("The zip", "without")
    ),
    "513 entries and a count of two": Attack(
        with_count(2, plugin_zip(EMPTY)), "malformed_zip", ("central directory", "again")
    ),
    "two entries and a count of 500": Attack(
        with_count(500, plugin_zip()), "malformed_zip", ("central directory", "again")
    ),
    "no entry": Attack(raw_zip(), "no_manifest", ("hotswap.toml", "add it")),
    "513 directories": Attack(
        raw_zip(*good_members(), *(Member(b"d%d/" % n, mode=0o040755) for n in range(511))),
        "too_many_entries",
        ("513 entries", "leave out"),
    ),
    "a directory of more than a mebibyte": Attack(
        with_member(
            *(
                Member(b"f%d" % n, extra=struct.pack("<2H", 0xCAFE, 40_000) + bytes(40_000))
                for n in range(30)
            )
        ),
        "hidden_bytes",
        ("central directory", "pack it again"),
    ),
}


@pytest.mark.parametrize(**table(CROWDS))
def test_an_artifact_is_refused_with(refused, attack):
    """P05"""
    refused(attack)


def test_512_entries_are_taken(echo, upload):
    """P05"""
    names = list(EMPTY)[:510]

    assert upload(plugin_zip(dict.fromkeys(names, ""))).status_code == 201


@pytest.mark.parametrize("limit", [100, len(manifest_text())])
def test_more_bytes_than_the_limit_are_refused(refused, settings, limit):
    """P05: with its own status, whatever they are."""
    settings.UPLOAD_LIMIT_BYTES = limit

    refused(Attack(plugin_zip(), "too_large", (str(limit),), status=413))
