"""An artifact becomes files, by a function and by a program of its own."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.artifact import ArtifactError, command, unpack_artifact
from tests.artifacts import (
    SOURCE,
    Member,
    plugin_zip,
    with_member,
    zip_bytes,
)

PROGRAM = Path(__file__).parents[2] / "plugins" / "artifact"


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
