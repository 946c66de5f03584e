"""Zips that two readers, or two file systems, would read as two things (P06, P07)."""

import struct

import pytest

from tests.artifacts import Member, good_members, plugin_zip, raw_zip, with_member
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db


def together(*names, code="duplicate_name", shown=None):
    members = (Member(name.encode(), b"x") for name in names)
    said = ascii(names[-1] if shown is None else shown)
    return Attack(with_member(*members), code, (said, "rename one or leave it out"))


def both(*names, shown=None):
    return together(*names, code="file_and_directory", shown=shown)


COLLISIONS = {
    "the same name twice": together("a.txt", "a.txt"),
    "its own module a second time": Attack(
        with_member(Member(b"echo.py", b"evil = 1")), "duplicate_name", ("echo.py", "rename one")
    ),
    "a second manifest of the same name": Attack(
        with_member(Member(b"hotswap.toml", b"")), "duplicate_name", ("hotswap.toml", "rename one")
    ),
    "a manifest in capitals": Attack(
        with_member(Member(b"HotSwap.TOML", b"")), "duplicate_name", ("HotSwap.TOML", "rename one")
    ),
    "names that differ in case": together("a.txt", "A.TXT"),
    "names that differ in case beyond ASCII": together("stra\u00dfe.txt", "STRASSE.txt"),
    "names that differ in the Greek final letter": together("\u03c3\u03c3.txt", "\u03c3\u03c2.txt"),
    "a composed and a decomposed accent": together("caf\u00e9.txt", "cafe\u0301.txt"),
    "a decomposed accent and a composed capital": together("cafe\u0301.txt", "CAF\u00c9.txt"),
    "an Angstrom sign and a letter": together("\u212b.txt", "\u00c5.txt"),
    "directories that differ in case": together("lib/a.txt", "Lib/b.txt", shown="Lib"),
    "directories that differ in their accent": together(
        "\u00e9/a.txt", "e\u0301/b.txt", shown="e\u0301"
    ),
    "a file and files below it": both("lib", "lib/a.txt", shown="lib"),
    "files and then a file in place of their directory": both("lib/a.txt", "lib"),
    "a file and a directory in capitals": both("LIB", "lib/a.txt", shown="lib"),
    "a file and an empty directory": Attack(
        with_member(Member(b"lib", b"x"), Member(b"lib/", mode=0o040755)),
        "file_and_directory",
        ("lib", "rename one"),
    ),
    "a directory twice": Attack(
        with_member(Member(b"lib/", mode=0o040755), Member(b"lib/", mode=0o040755)),
        "duplicate_name",
        ("lib", "rename one"),
    ),
    "a directory with content": Attack(
        with_member(Member(b"lib/", b"x", mode=0o040755)),
        "file_and_directory",
        ("lib", "has content", "again"),
    ),
    "a file far below that is a directory too": both("a/b/c/d.py", "a/b/c"),
}


@pytest.mark.parametrize(**table(COLLISIONS))
def test_an_artifact_is_refused_that_has(refused, attack):
    """P06"""
    refused(attack)


def test_names_that_only_look_alike_are_two_files(echo, upload):
    """P06: no file system takes a Cyrillic letter for a Latin one."""
    data = with_member(Member(b"ace.txt", b"x"), Member("\u0430ce.txt".encode(), b"y"))

    assert upload(data).status_code == 201


def patched(signature, offset, form, *values, data=None):
    """A good zip with one field changed behind the last record of that signature."""
    changed = bytearray(with_member() if data is None else data)
    struct.pack_into(form, changed, changed.rindex(signature) + offset, *values)
    return bytes(changed)


def mismatch(data, thing="echo.py"):
    return Attack(data, "header_mismatch", (thing, "pack it again"))


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
SECOND_NAME = struct.pack("<2HBL", 0x7075, 12, 1, 0) + b"evil.py"
DIFFERENCES = {
    "another name": mismatch(with_member(Member(b"good.py", b"x", local_name=b"evil.py")), "good"),
    "another name of the same kind of file": mismatch(
        with_member(Member(b"a.txt", b"x", local_name=b"../a.txt")), "a.txt"
    ),
    "another case of the name": mismatch(
        with_member(Member(b"a.txt", b"x", local_name=b"A.txt")), "a.txt"
    ),
    "a directory's name": mismatch(with_member(Member(b"lib", b"", local_name=b"lib/")), "lib"),
    "another CRC": mismatch(patched(LOCAL, 14, "<L", 1)),
    "another packed size": mismatch(patched(LOCAL, 18, "<L", 1)),
    "another size": mismatch(patched(LOCAL, 22, "<L", 1)),
    "another compression": mismatch(patched(LOCAL, 8, "<H", 8)),
    "other flags": mismatch(patched(LOCAL, 6, "<H", 0)),
    "a password where the directory has none": mismatch(patched(LOCAL, 6, "<H", 0x801)),
    "a descriptor that the directory does not know": mismatch(patched(LOCAL, 6, "<H", 0x808)),
    "no descriptor where the directory has one": mismatch(patched(CENTRAL, 8, "<H", 0x808)),
    "a second name in an extra field": mismatch(
        with_member(Member(b"a.py", b"x", extra=SECOND_NAME)), "a.py"
    ),
    "an extra field that is cut off": Attack(
        with_member(Member(b"a.py", b"x", extra=struct.pack("<2H", 0x5455, 9) + b"x")),
        "malformed_zip",
        ("a.py", "cut off", "Pack it again"),
    ),
    "no local header": Attack(
        patched(LOCAL, 0, "<4s", b"XXXX"), "malformed_zip", ("echo.py", "Pack it again")
    ),
    "a wrong signature in the directory": Attack(
        patched(CENTRAL, 0, "<4s", b"XXXX"), "malformed_zip", ("directory", "Pack it again")
    ),
    "a name that runs out of the directory": Attack(
        patched(CENTRAL, 28, "<H", 9_999), "malformed_zip", ("directory", "Pack it again")
    ),
    "a disk of its own": Attack(
        with_member(Member(b"a.py", b"x", disk=1)), "multi_disk", ("pack one file",)
    ),
}


@pytest.mark.parametrize(**table(DIFFERENCES))
def test_an_entry_is_refused_whose_headers_have(refused, attack):
    """P07"""
    refused(attack)


def hidden(data, *says):
    return Attack(data, "hidden_bytes", (*says, "pack it again"))


def commented_entry():
    """A comment on the directory's last record."""
    data = bytearray(patched(CENTRAL, 32, "<H", 6))
    end = data.rindex(END)
    data[end:end] = b"secret"
    (length,) = struct.unpack_from("<L", data, data.rindex(END) + 12)
    return patched(END, 12, "<L", length + 6, data=data)


TAIL = ("cut off", "comment", "Pack it again without")
SHEBANG = LOCAL + b"#!/bin/sh\nexec evil\n"
WRAPPED = {
    "a script in front, with offsets that know": Attack(
        with_member(prefix=SHEBANG), "overlapping_entries", ("hotswap.toml", "pack it again")
    ),
    "a script in front, with offsets that do not": hidden(
        with_member(prefix=SHEBANG, honest_offsets=False), "before its start"
    ),
    "a picture in front": Attack(
        with_member(prefix=b"GIF89a"), "not_a_zip", ("not a zip", "packplugin")
    ),
    "a program in front": Attack(
        with_member(prefix=b"\x7fELF\2\1\1"), "not_a_zip", ("not a zip", "packplugin")
    ),
    "a page behind": Attack(with_member(suffix=b"<script>"), "truncated", TAIL),
    "another zip behind": hidden(with_member() + with_member(), "before its start"),
    "another zip in front with the same entries": hidden(
        plugin_zip() + plugin_zip({"more.py": ""}), "before its start"
    ),
    "a comment": Attack(with_member(comment=b"hello"), "truncated", TAIL),
    "a comment that is an end record": hidden(with_member(comment=END + bytes(18)), "directory"),
    "a comment that is a whole zip": hidden(with_member(comment=with_member()), "before its start"),
    "an end record that promises a comment": Attack(patched(END, 20, "<H", 100), "truncated", TAIL),
    "bytes between entries and directory": hidden(with_member(gap=b"hidden"), "between"),
    "bytes between two entries": Attack(
        raw_zip(
            good_members()[0],
            Member(b"echo.py", b"", offset=len(raw_zip(good_members()[0])) + 40),
        ),
        "overlapping_entries",
        ("echo.py", "leaves a gap", "pack it again"),
    ),
    "an entry that no directory lists": hidden(
        with_member(gap=raw_zip(Member(b"evil.py", b"x = 1"))[:-76]), "between"
    ),
    "a comment on an entry": hidden(commented_entry(), "comment", "echo.py"),
    "entries in another order than its directory": Attack(
        raw_zip(
            Member(b"hotswap.toml", b"x", offset=len(b"hotswap.toml") + 31), Member(b"echo.py")
        ),
        "overlapping_entries",
        ("hotswap.toml", "pack it again"),
    ),
    "a directory that begins elsewhere": hidden(patched(END, 16, "<L", 7), "directory"),
    "a directory of another length": hidden(patched(END, 12, "<L", 7), "directory"),
    "a directory of no length": hidden(patched(END, 12, "<2L", 0, 0), "directory"),
    "more entries in all than on this disk": Attack(
        patched(END, 8, "<H", 9), "multi_disk", ("pack one file",)
    ),
    "a second disk": Attack(with_member(disk=1), "multi_disk", ("pack one file",)),
    "zip64's place for its directory": Attack(
        patched(END, 12, "<2L", 0xFFFFFFFF, 0xFFFFFFFF), "zip64", ("The zip", "without")
    ),
    "nothing at all": Attack(b"x", "not_a_zip", ("not a zip", "packplugin")),
    "its end cut off": Attack(plugin_zip()[:-30], "truncated", TAIL),
}


@pytest.mark.parametrize(**table(WRAPPED))
def test_a_zip_is_refused_that_has(refused, attack):
    """P07"""
    refused(attack)
