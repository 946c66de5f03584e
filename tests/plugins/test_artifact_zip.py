"""Hostile zip files, each actually built."""

import io
import os
import stat
import struct
import zipfile

import pytest

from plugins.artifact import ArtifactError, inspect_artifact
from plugins.artifact.archive import read_entries
from plugins.artifact.streaming import read_chunks
from tests.artifacts import (
    Member,
    good_members,
    plugin_zip,
    raw_zip,
    with_member,
    zip_bytes,
)


@pytest.mark.parametrize(
    "name",
    [
        b"../evil.py",
        b"a/../../evil.py",
        b"/etc/passwd",
        b"a//b.py",
        b"./a.py",
        b"..",
        b"a\\b.py",
        b"..\\evil.py",
        b"C:/evil.py",
        b"c:evil.py",
        b"evil\0.py",
        b"evil\n.py",
        b"trailing /a.py",
        b"dot./a.py",
        "right\u202eleft.py".encode(),
        b"x" * 256,
        b"/".join([b"d"] * 17),
        b"",
    ],
)
def test_a_name_that_leaves_or_confuses_is_refused(refusal, name):
    assert refusal(with_member(Member(name, b"x"))) == "bad_name"


def test_a_name_in_an_unstated_encoding_is_refused(refusal):
    assert refusal(with_member(Member(b"caf\xe9.txt", b"x", flags=0))) == "bad_name"


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR]
)
def test_an_entry_that_is_not_a_plain_file_is_refused(refusal, kind):
    assert (
        refusal(with_member(Member(b"link", b"/etc/passwd", mode=kind | 0o777))) == "special_file"
    )


def test_a_directory_with_content_is_refused(refusal):
    data = with_member(Member(b"lib/", b"x", mode=0o040755))
    assert refusal(data) == "file_and_directory"


def test_a_bomb_by_ratio_is_refused(refusal):
    assert refusal(plugin_zip({"zeros.bin": bytes(1_000_000)})) == "zip_bomb"


def test_a_small_file_may_compress_well(write):
    assert inspect_artifact(write(plugin_zip({"blank.txt": b" " * 60_000})))


def test_an_entry_over_16_mib_is_refused(refusal):
    data = zip_bytes({"big.bin": bytes(17 << 20)}, compression=zipfile.ZIP_STORED)
    assert refusal(data) == "entry_too_large"


def test_more_than_64_mib_in_all_is_refused(refusal):
    half_random = os.urandom(1 << 19) + bytes(15 << 20)
    data = plugin_zip({f"part{n}.bin": half_random for n in range(5)})
    assert refusal(data) == "unpacked_too_large"


def test_more_than_512_entries_are_refused(refusal):
    assert refusal(plugin_zip({f"f{n}.txt": "" for n in range(511)})) == "too_many_entries"


def test_overlapping_entries_are_refused(refusal):
    kernel = Member(b"a.bin", b"kernel")
    again = Member(b"b.bin", b"kernel", offset=0)
    assert refusal(with_member(kernel, again)) == "overlapping_entries"


def test_an_entry_that_runs_into_the_directory_is_refused(refusal):
    members = good_members()
    data = bytearray(raw_zip(*members))
    # Grow the last entry's sizes in both headers: its content would be the directory itself.
    length = len(members[1].content)
    for place in (data.rindex(b"PK\3\4") + 18, data.rindex(b"PK\1\2") + 20):
        struct.pack_into("<2L", data, place, length + 40, length + 40)
    assert refusal(bytes(data)) == "overlapping_entries"


@pytest.mark.parametrize("size", [10, 30])
def test_a_size_that_lies_is_noticed_while_streaming(refusal, size):
    data = with_member(Member(b"a.txt", b"twenty bytes of text", declared_size=size, method=8))
    assert refusal(data) == "lying_size"


def test_no_more_than_the_declared_size_comes_out_of_a_bomb():
    bomb = Member(b"a.txt", bytes(10_000_000), declared_size=20_000, method=8)
    file, received = io.BytesIO(raw_zip(bomb)), 0
    (entry,) = read_entries(file)
    with pytest.raises(ArtifactError, match="more bytes than it declares"):
        for chunk in read_chunks(file, entry):
            received += len(chunk)
    assert received <= entry.size


def test_a_stored_entry_with_two_sizes_is_refused(refusal):
    assert refusal(with_member(Member(b"a.txt", b"text", declared_size=3))) == "lying_size"


def test_bytes_after_the_compressed_stream_are_refused(refusal):
    class Padded(Member):
        def packed(self):
            return super().packed() + b"hidden"

    assert refusal(with_member(Padded(b"a.txt", b"text", method=8))) == "lying_size"


def test_a_stream_that_does_not_inflate_is_refused(refusal):
    class Broken(Member):
        def packed(self):
            return b"\xff" * 20

    assert refusal(with_member(Broken(b"a.txt", b"text", method=8))) == "corrupt"


def test_a_wrong_checksum_is_refused(refusal):
    assert refusal(with_member(Member(b"a.txt", b"text", declared_crc=1))) == "bad_checksum"


def test_a_data_descriptor_that_lies_is_refused(refusal):
    lying = struct.pack("<4s3L", b"PK\7\x08", 0, 1, 1)
    member = Member(b"a.txt", b"text", flags=0x808, descriptor=lying)
    assert refusal(with_member(member)) == "header_mismatch"


def test_a_local_header_with_another_name_is_refused(refusal):
    data = with_member(Member(b"good.py", b"x", local_name=b"evil.py"))
    assert refusal(data) == "header_mismatch"


def test_a_second_name_in_an_extra_field_is_refused(refusal):
    extra = struct.pack("<2HBL", 0x7075, 12, 1, 0) + b"evil.py"
    assert refusal(with_member(Member(b"a.py", b"x", extra=extra))) == "header_mismatch"


def test_zip64_is_refused(refusal):
    extra = struct.pack("<2HQ", 1, 8, 1)
    assert refusal(with_member(Member(b"a.py", b"x", extra=extra))) == "zip64"


@pytest.mark.parametrize("honest", [True, False])
def test_bytes_before_the_zip_are_refused(refusal, honest):
    code = refusal(with_member(prefix=b"PK\3\4#!/bin/sh\n", honest_offsets=honest))
    assert code in ("hidden_bytes", "overlapping_entries")


def test_another_file_in_front_of_the_zip_is_refused(refusal):
    assert refusal(with_member(prefix=b"GIF89a")) == "not_a_zip"


def test_bytes_after_the_zip_are_refused(refusal):
    assert refusal(with_member(suffix=b"<script>")) == "truncated"


def test_a_second_zip_after_the_first_is_refused(refusal):
    assert refusal(with_member() + with_member()) == "hidden_bytes"


def test_a_comment_is_refused_also_one_that_looks_like_the_end(refusal):
    assert refusal(with_member(comment=b"hello")) == "truncated"
    assert refusal(with_member(comment=b"PK\5\6" + bytes(18))) == "hidden_bytes"


def test_bytes_between_entries_and_directory_are_refused(refusal):
    assert refusal(with_member(gap=b"hidden")) == "hidden_bytes"


def test_a_split_zip_is_refused(refusal):
    assert refusal(with_member(disk=1)) == "multi_disk"
    assert refusal(with_member(Member(b"a.py", b"x", disk=1))) == "multi_disk"


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_an_encrypted_entry_is_refused(refusal, flag):
    assert refusal(with_member(Member(b"a.py", b"x", flags=0x800 | flag))) == "encrypted"


@pytest.mark.parametrize("method", [9, 12, 14, 93])
def test_a_rare_compression_is_refused(refusal, method):
    assert refusal(with_member(Member(b"a.py", b"x", method=method))) == "compression"


@pytest.mark.parametrize(
    "names",
    [
        ["a.txt", "a.txt"],
        ["a.txt", "A.TXT"],
        ["caf\u00e9.txt", "cafe\u0301.txt"],
        ["stra\u00dfe.txt", "STRASSE.txt"],
        ["lib/a.txt", "Lib/b.txt"],
    ],
)
def test_names_that_collide_are_refused(refusal, names):
    data = with_member(*(Member(name.encode(), b"x") for name in names))
    assert refusal(data) == "duplicate_name"


@pytest.mark.parametrize(
    "names", [["lib", "lib/a.txt"], ["lib/a.txt", "lib"], ["LIB", "lib/a.txt"]]
)
def test_a_file_that_is_a_directory_too_is_refused(refusal, names):
    data = with_member(*(Member(name.encode(), b"x") for name in names))
    assert refusal(data) == "file_and_directory"


def test_a_directory_entry_beside_its_files_is_fine(write):
    members = [Member(b"lib/", mode=0o040755), Member(b"lib/a.txt", b"x")]
    assert inspect_artifact(write(with_member(*members)))


@pytest.mark.parametrize(
    ("place", "value"), [(-22 + 12, 7), (-22 + 16, 7), (-22 + 8, 9), (-22 + 4, 1)]
)
def test_an_end_record_that_lies_is_refused(refusal, place, value):
    data = bytearray(with_member())
    data[place] = value
    assert refusal(bytes(data)) in ("hidden_bytes", "multi_disk", "malformed_zip")


def test_zip64_in_the_end_record_is_refused(refusal):
    data = bytearray(with_member())
    data[-14:-10] = b"\xff\xff\xff\xff"
    assert refusal(bytes(data)) == "zip64"
