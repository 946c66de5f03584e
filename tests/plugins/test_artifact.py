"""Hostile artifacts, each actually built, and the good ones that must pass."""

import io
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.artifact import ArtifactError, command, inspect_artifact, unpack_artifact
from plugins.artifact.archive import read_entries
from plugins.artifact.streaming import read_chunks
from plugins.artifact_check import ArtifactRefusedError, read_artifact
from tests.artifacts import (
    SOURCE,
    Member,
    good_members,
    manifest_text,
    plugin_zip,
    raw_zip,
    wheel_bytes,
    zip_bytes,
)

PROGRAM = Path(__file__).parents[2] / "plugins" / "artifact"


@pytest.fixture
def write(tmp_path):
    def write_artifact(data, name="artifact.zip"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_artifact


@pytest.fixture
def refusal(write):
    """The code with which the bytes are refused."""

    def refuse(data, **options):
        with pytest.raises(ArtifactError) as caught:
            inspect_artifact(write(data), **options)
        return caught.value.code

    return refuse


def with_member(*members, **options):
    return raw_zip(*good_members(), *members, **options)


def test_a_good_zip_is_read_completely(write):
    contents = inspect_artifact(write(plugin_zip({"lib/words.txt": "x"})))
    assert contents.manifest_text == manifest_text()
    assert contents.modules == {"echo", "lib"}
    assert contents.wheel is None
    assert contents.unpacked_bytes == len(manifest_text()) + len(SOURCE) + 1


def test_a_good_wheel_is_read_completely(write):
    contents = inspect_artifact(write(wheel_bytes()), filename="echo-1.0.0-py3-none-any.whl")
    assert (contents.wheel.name, contents.wheel.version) == ("echo", "1.0.0")
    assert contents.wheel.requires == ("babel>=2",)
    assert contents.manifest_text == manifest_text()


def test_a_hand_made_zip_is_good_before_it_lies(write):
    assert len(inspect_artifact(write(with_member())).entries) == 2


def test_a_zip_streamed_with_data_descriptors_is_read(write):
    class OneWay(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    stream = OneWay()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hotswap.toml", manifest_text())
        archive.writestr("echo.py", SOURCE)
    assert inspect_artifact(write(stream.data)).has_module("echo")


@pytest.mark.parametrize("data", [b"", b"PK", b"hello, I am a plugin", b"\x1f\x8b" + b"x" * 100])
def test_what_is_not_a_zip_is_refused(refusal, data):
    assert refusal(data) == "not_a_zip"


@pytest.mark.parametrize("kept", [30, 200, 400])
def test_a_truncated_zip_is_refused(refusal, kept):
    assert refusal(plugin_zip()[:kept]) == "truncated"


def test_a_zip_without_manifest_is_refused(refusal):
    assert refusal(zip_bytes({"echo.py": SOURCE})) == "no_manifest"


def test_a_manifest_in_two_places_is_refused(refusal):
    data = wheel_bytes(extra={"hotswap.toml": manifest_text()})
    assert refusal(data) == "two_manifests"


def test_a_manifest_that_is_too_large_is_refused(refusal):
    assert refusal(zip_bytes({"hotswap.toml": os.urandom(300_000)})) == "manifest_too_large"


def test_a_manifest_that_is_not_utf8_is_refused(refusal):
    assert refusal(zip_bytes({"hotswap.toml": b"\xff\xfe"})) == "no_manifest"


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
    "name",
    [
        "evil.pth",
        "lib/evil.PTH",
        "sitecustomize.py",
        "usercustomize.py",
        "sitecustomize/__init__.py",
    ],
)
def test_what_runs_when_python_starts_is_refused(refusal, name):
    assert refusal(plugin_zip({name: "import os"})) == "startup_hook"


@pytest.mark.parametrize(
    "name",
    [
        "json.py",
        "socket.py",
        "asyncio/__init__.py",
        "hotswap.py",
        "hotswap_plugin/__init__.py",
        "hotswap/evil.py",
        "Socket.py",
        "json.cpython-311-x86_64-linux-gnu.so",
    ],
)
def test_a_module_that_hides_pythons_or_ours_is_refused(refusal, name):
    assert refusal(plugin_zip({name: "x = 1"})) == "shadowed_module"


def test_a_submodule_may_be_called_as_it_likes(write):
    assert inspect_artifact(write(plugin_zip({"pkg/__init__.py": "", "pkg/json.py": ""})))


@pytest.mark.parametrize("name", ["__pycache__/echo.cpython-311.pyc", "echo.pyc", "lib/x.pyo"])
def test_bytecode_is_refused(refusal, name):
    assert refusal(plugin_zip({name: "x"})) == "bytecode"


@pytest.mark.parametrize("name", ["setup.py", "echo-1.0.0/setup.py"])
def test_a_source_distribution_is_refused(refusal, name):
    assert refusal(plugin_zip({name: "import os"})) == "sdist"


@pytest.mark.parametrize(
    ("name", "content"),
    [("fast.so", b"x"), ("fast.so.1", b"x"), ("fast.pyd", b"x"), ("data.bin", b"\x7fELF\2\1\1")],
)
def test_machine_code_needs_the_permission(write, refusal, name, content):
    data = plugin_zip({name: content})
    assert refusal(data, allow_native=False) == "native_code"
    with pytest.raises(ArtifactRefusedError) as caught:
        read_artifact(write(data))
    assert caught.value.code == "native_code"
    permitted = plugin_zip({name: content}, permissions={"native": True})
    assert read_artifact(write(permitted)).contents.native_files == (name,)


def wheel_info(name):
    return f"echo-1.0.0.dist-info/{name}"


@pytest.mark.parametrize(
    "changes",
    [
        {"echo.py": None},
        {"echo.py": "echo.py,sha256=AAAA,10"},
        {"echo.py": "echo.py,,"},
        {"ghost.py": "ghost.py,sha256=AAAA,1"},
        {"twice": "echo.py,sha256=AAAA,1"},
        {"short": "just-a-name"},
    ],
)
def test_a_wheel_whose_record_is_wrong_is_refused(refusal, changes):
    assert refusal(wheel_bytes(record_changes=changes)) == "bad_record"


def test_a_wheel_without_record_or_metadata_is_refused(refusal):
    files = {"hotswap.toml": manifest_text(), wheel_info("METADATA"): "Name: echo\n"}
    assert refusal(zip_bytes(files)) == "bad_wheel"


def test_a_wheel_with_two_dist_infos_is_refused(refusal):
    assert refusal(wheel_bytes(extra={"other-2.0.dist-info/METADATA": ""})) == "bad_wheel"


def test_a_wheel_whose_metadata_has_another_version_is_refused(refusal):
    assert refusal(wheel_bytes(metadata_version="2.0.0")) == "wheel_mismatch"


def test_a_wheel_whose_file_name_has_another_version_is_refused(refusal):
    data = wheel_bytes()
    assert refusal(data, filename="echo-2.0.0-py3-none-any.whl") == "wheel_mismatch"


def test_a_wheel_whose_manifest_has_another_version_is_refused(write):
    with pytest.raises(ArtifactRefusedError) as caught:
        read_artifact(write(wheel_bytes(version="1.0.1", name="other")))
    assert caught.value.code == "wheel_mismatch"


def test_an_entry_point_outside_the_artifact_is_refused(write):
    with pytest.raises(ArtifactRefusedError) as caught:
        read_artifact(write(plugin_zip(entry_point="elsewhere:Echo")))
    assert caught.value.code == "no_entry_point"


def test_an_entry_point_in_a_package_is_found(write):
    data = plugin_zip({"pkg/sub/__init__.py": "", "pkg/__init__.py": ""}, entry_point="pkg.sub:X")
    assert read_artifact(write(data)).manifest.entry_module == "pkg.sub"


def test_a_wheel_of_a_dependency_needs_no_manifest(write):
    data = zip_bytes({"babel/__init__.py": ""})
    assert inspect_artifact(write(data), require_manifest=False).manifest_text is None


def test_unpacking_writes_plain_files_and_hash_checked_bytecode(write, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    unpack_artifact(write(plugin_zip({"lib/data.txt": "x"})), target)
    (bytecode,) = (target / "__pycache__").iterdir()
    flags = int.from_bytes(bytecode.read_bytes()[4:8], "little")
    assert flags == 0b11, "hash-based and checked against the source"
    assert (target / "echo.py").read_text() == SOURCE
    assert stat.S_IMODE((target / "lib").stat().st_mode) == 0o755
    assert stat.S_IMODE((target / "lib/data.txt").stat().st_mode) == 0o644


def test_unpacking_ignores_modes_of_the_zip(write, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    unpack_artifact(write(with_member(Member(b"run.sh", b"x", mode=0o106777))), target)
    assert stat.S_IMODE((target / "run.sh").stat().st_mode) == 0o644


def test_unpacking_goes_on_where_a_file_does_not_compile(write, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    unpack_artifact(write(plugin_zip({"old.py": "print 'hello'", "nul.py": b"\0"})), target)
    assert (target / "old.py").exists()


def test_unpacking_something_hostile_writes_nothing(write, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(ArtifactError):
        unpack_artifact(write(with_member(Member(b"../evil.py", b"x"))), target)
    assert list(target.iterdir()) == []


def test_unpacking_needs_an_empty_directory(write, tmp_path):
    with pytest.raises(ArtifactError) as caught:
        unpack_artifact(write(plugin_zip()), tmp_path)
    assert caught.value.code == "not_empty"


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_refused_or_read_and_nothing_else_happens(tmp_path, data):
    damaged = bytearray(data.draw(st.sampled_from([plugin_zip(), wheel_bytes(), with_member()])))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.zip").write_bytes(damaged)
    try:
        inspect_artifact(tmp_path / "damaged.zip")
    except ArtifactError as error:
        assert error.code
        assert error.message.isprintable()


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


def test_an_artifact_over_64_mib_is_refused_without_reading_it(tmp_path):
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ArtifactError) as caught:
        inspect_artifact(tmp_path / "huge.zip")
    assert caught.value.code == "too_large"


def test_the_command_prints_one_json_object(write, tmp_path, capsys):
    target = tmp_path / "out"
    target.mkdir()
    assert command.main(["unpack", str(write(plugin_zip())), str(target)]) == 0
    assert json.loads(capsys.readouterr().out)["unpacked_bytes"] > 0
    assert command.main(["inspect", str(write(plugin_zip({"a.so": "x"})))]) == 0
    assert json.loads(capsys.readouterr().out)["native_files"] == ["a.so"]
    assert command.main(["unpack-dependency", str(write(zip_bytes({}))), str(target)]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "not_empty"
    assert command.main([]) == 2


def run_program(*arguments):
    command = [sys.executable, "-I", "-S", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_package_unpacks_when_executed_without_the_application(write, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    done = run_program("unpack", write(plugin_zip()), target)
    assert (done.returncode, done.stderr) == (0, "")
    assert (target / "echo.py").exists()


def test_the_executed_package_says_why_it_refuses(write, tmp_path):
    done = run_program("unpack", write(b"no zip"), tmp_path / "missing")
    assert done.returncode != 0
    done = run_program("inspect", write(b"no zip"))
    assert done.returncode == 3
    assert '"code": "not_a_zip"' in done.stdout


def test_the_executed_package_explains_its_use():
    assert run_program("dance").returncode == 2
