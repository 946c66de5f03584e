"""What an artifact must and must not contain, and the good ones that must pass."""

import io
import os
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.artifact import ArtifactError, inspect_artifact
from plugins.artifact_check import ArtifactRefusedError, read_artifact
from tests.artifacts import (
    SOURCE,
    manifest_text,
    plugin_zip,
    wheel_bytes,
    with_member,
    zip_bytes,
)


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


def test_an_artifact_over_64_mib_is_refused_without_reading_it(tmp_path):
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ArtifactError) as caught:
        inspect_artifact(tmp_path / "huge.zip")
    assert caught.value.code == "too_large"
