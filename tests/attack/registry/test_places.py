"""Entries that would be written somewhere else (P01), or be something else than a file (P02)."""

import stat
import struct

import pytest

from tests.artifacts import Member, plugin_zip, with_member
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db


def named(name, shown=None, way_out="rename it", **changes):
    content = b"" if name.endswith(b"/") else b"x = 1"
    member = Member(name, content, **changes)
    return Attack(with_member(member), "bad_name", (shown or name.decode(), way_out))


ELSEWHERE = {
    "climbs out of its directory": named(b"../evil.py"),
    "climbs out after going in": named(b"lib/../../evil.py"),
    "climbs out at its end": named(b"lib/.."),
    "is nothing but two dots": named(b".."),
    "is absolute": named(b"/etc/cron.d/evil"),
    "is absolute on a network": named(b"//server/share/evil.py"),
    "is a directory that climbs out": named(b"../lib/", shown="../lib", mode=0o040755),
    "climbs out with backslashes": named(b"..\\evil.py", shown=r"..\\evil.py"),
    "is absolute with a backslash": named(b"\\evil.py", shown=r"\\evil.py"),
    "has a backslash within": named(b"lib\\evil.py", shown=r"lib\\evil.py"),
    "has a drive and a root": named(b"C:/evil.py"),
    "has a drive alone": named(b"c:evil.py"),
    "names a stream of another file": named(b"echo.py:evil"),
    "ends early at a NUL": named(b"echo.py\0.txt", shown=r"echo.py\x00.txt"),
    "has a line feed": named(b"evil\n.py", shown=r"evil\n.py"),
    "has an escape sequence": named(b"\x1b[2Jevil.py", shown=r"\x1b[2Jevil.py"),
    "turns the reading direction": named("evil\u202eyp.py".encode(), shown=r"evil\u202eyp.py"),
    "has an empty part": named(b"lib//evil.py"),
    "begins with a dot part": named(b"./evil.py"),
    "is empty": named(b"", shown="''"),
    "is a lone slash": named(b"/", shown="''", mode=0o040755),
    "ends with a dot": named(b"evil.py.", shown="'evil.py.'"),
    "ends with a space": named(b"evil.py ", shown="'evil.py '"),
    "is over 255 bytes": named(b"x" * 256, shown="xxx...", way_out="255"),
    "is deeper than 16": named(b"/".join([b"d"] * 17), way_out="16 directories"),
    "is in no stated encoding": named(b"caf\xe9.py", shown=r"caf\xe9.py", flags=0),
    "is broken UTF-8": named(b"\xc0\xae\xc0\xae/evil.py", shown=r"\xc0\xae\xc0\xae/evil.py"),
}


@pytest.mark.parametrize(**table(ELSEWHERE))
def test_an_entry_is_refused_whose_name(refused, tmp_path, attack):
    """P01"""
    refused(attack)

    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def special(*members, thing, kind):
    return Attack(with_member(*members), "special_file", (thing, kind, "pack the file itself"))


def of_kind(kind, mode=0o777):
    return Member(b"lib", b"/etc", mode=kind | mode)


LINK = special(of_kind(stat.S_IFLNK), thing="lib", kind="symbolic link")
UNIX_TIMES = struct.pack("<2L2H", 0, 0, 0, 0)
SPECIAL = {
    "a symbolic link": LINK,
    "a symbolic link and a file through it": special(
        of_kind(stat.S_IFLNK), Member(b"lib/evil.py", b"x = 1"), thing="lib", kind="symbolic link"
    ),
    "a file and then a symbolic link above it": special(
        Member(b"lib/evil.py", b"x = 1"), of_kind(stat.S_IFLNK), thing="lib", kind="symbolic link"
    ),
    "a symbolic link to itself": special(
        Member(b"loop", b"loop", mode=stat.S_IFLNK | 0o777), thing="loop", kind="symbolic link"
    ),
    "a character device": special(of_kind(stat.S_IFCHR), thing="lib", kind="not a regular file"),
    "a block device": special(of_kind(stat.S_IFBLK), thing="lib", kind="not a regular file"),
    "a FIFO": special(of_kind(stat.S_IFIFO), thing="lib", kind="not a regular file"),
    "a socket": special(of_kind(stat.S_IFSOCK), thing="lib", kind="not a regular file"),
    "a kind that no system has": special(of_kind(0o150000), thing="lib", kind="not a regular"),
    "a file that claims to be a directory": special(
        of_kind(stat.S_IFDIR), thing="lib", kind="not a regular file"
    ),
    "a directory that claims to be a link": special(
        Member(b"lib/", mode=stat.S_IFLNK | 0o777), thing="lib", kind="symbolic link"
    ),
    "a hard link in an extra field": special(
        Member(b"lib", extra=struct.pack("<2H", 0x000D, 12 + 7) + UNIX_TIMES + b"echo.py"),
        thing="lib",
        kind="a link or a device",
    ),
    "a mode and a target in an extra field": special(
        Member(b"lib", extra=struct.pack("<2HLHL2H", 0x756E, 14, 0, 0o120777, 4, 0, 0)),
        thing="lib",
        kind="a link or a device",
    ),
}


@pytest.mark.parametrize(**table(SPECIAL))
def test_an_artifact_is_refused_that_has(refused, attack):
    """P02"""
    refused(attack)


def test_setuid_bits_are_not_kept(echo, upload, artifacts):
    """P02: the mode of an honest kind is read for its kind alone."""
    answer = upload(with_member(Member(b"run.sh", b"x", mode=0o106777)))

    assert answer.status_code == 201, answer.json()
    assert {path.stat().st_mode & 0o7222 for path in artifacts.rglob("*") if path.is_file()} == {0}


def test_the_same_artifact_without_the_attack_is_taken(echo, upload):
    """The refusals above are for what was added."""
    assert upload(plugin_zip()).status_code == 201
