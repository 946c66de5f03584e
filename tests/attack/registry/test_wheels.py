"""Wheels that break their own promises (P08), and versions said in several places (P09)."""

import hashlib
import random
from base64 import urlsafe_b64encode

import pytest

from plugins.models import PluginVersion
from tests.artifacts import SOURCE, manifest_text, plugin_zip, wheel_bytes, zip_bytes
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db
INFO = "echo-1.0.0.dist-info"
RIGHT_NAME = "echo-1.0.0-py3-none-any.whl"


def recorded(thing, **changes):
    return Attack(wheel_bytes(**changes), "bad_record", ("RECORD", thing, "build the wheel again"))


def lines(thing, **changes):
    return recorded(thing, record_changes=changes["lines"])


def without(*names):
    """A wheel whose files are not there, although nothing says so."""
    files = {
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: echo\nVersion: 1.0.0\n",
        f"{INFO}/RECORD": "",
        f"{INFO}/hotswap.toml": manifest_text(),
    }
    return zip_bytes({name: text for name, text in files.items() if name not in names})


WRONG_DIGEST = "echo.py,sha256=AAAA,10"
RECORDS = {
    "misses a file": lines("does not list 'echo.py'", lines={"echo.py": None}),
    "has a wrong digest": lines("another sha256 for 'echo.py'", lines={"echo.py": WRONG_DIGEST}),
    "has no digest": lines("another sha256 for 'echo.py'", lines={"echo.py": "echo.py,,"}),
    "has a weak digest": lines(
        "another sha256 for 'echo.py'", lines={"echo.py": "echo.py,md5=AAAA,"}
    ),
    "lists a file that is not there": lines(
        "lists 'ghost.py', which is missing", lines={"ghost.py": "ghost.py,sha256=AAAA,1"}
    ),
    "lists a file twice": lines("a file twice", lines={"twice": WRONG_DIGEST}),
    "has a line of one field": lines("three fields", lines={"short": "echo.py"}),
    "has a line of four fields": lines("three fields", lines={"long": "a,b,c,d"}),
    "lists a file outside": lines(
        "../../bin/evil", lines={"outside": "../../bin/evil,sha256=AAAA,1"}
    ),
    "names the manifest with another digest": lines(
        f"another sha256 for '{INFO}/hotswap.toml'",
        lines={f"{INFO}/hotswap.toml": f"{INFO}/hotswap.toml,sha256=AAAA,1"},
    ),
    "has a field beyond what CSV readers take": lines(
        "is not CSV", lines={"large": f"{random.Random(8).randbytes(70_000).hex()},,"}
    ),
}


@pytest.mark.parametrize(**table(RECORDS))
def test_a_wheel_is_refused_whose_record(refused, attack):
    """P08"""
    refused(attack)


def test_a_wheel_is_refused_with_a_file_added_later(refused):
    """P08: the zip has a module that RECORD does not know."""
    data = wheel_bytes(extra={"evil.py": "import os"}, record_changes={"evil.py": None})

    refused(Attack(data, "bad_record", ("does not list 'evil.py'", "build the wheel again")))


def test_a_wheel_is_refused_whose_size_in_record_is_wrong(refused):
    """P08: a right digest beside it does not help."""
    digest = urlsafe_b64encode(hashlib.sha256(SOURCE.encode()).digest()).decode().rstrip("=")
    data = wheel_bytes(record_changes={"echo.py": f"echo.py,sha256={digest},7"})

    refused(Attack(data, "bad_record", ("another size for 'echo.py'", "build the wheel again")))


def bad_wheel(content, *says):
    return Attack(content, "bad_wheel", (*says, "build it again"), name=RIGHT_NAME)


def mismatched(content, *says, name=RIGHT_NAME):
    return Attack(content, "wheel_mismatch", says, name=name)


TWO_NAMES = "Metadata-Version: 2.1\nName: echo\nName: other\nVersion: 1.0.0\n"
TWO_VERSIONS = "Metadata-Version: 2.1\nName: echo\nVersion: 1.0.0\nVersion: 2.0.0\n"
AGREE = ("make them the same", "build")
DISAGREEMENTS = {
    "has no RECORD": bad_wheel(without(f"{INFO}/RECORD"), f"no {INFO}/RECORD"),
    "has two directories of metadata": bad_wheel(
        wheel_bytes(extra={"other-2.0.dist-info/METADATA": ""}), "more than one .dist-info"
    ),
    "has a METADATA that is not UTF-8": bad_wheel(
        wheel_bytes(extra={f"{INFO}/METADATA": b"Name: \xff"}),
        "METADATA that is not UTF-8",
    ),
    "names itself twice": bad_wheel(
        wheel_bytes(extra={f"{INFO}/METADATA": TWO_NAMES}), "more than one Name"
    ),
    "has two versions": bad_wheel(
        wheel_bytes(extra={f"{INFO}/METADATA": TWO_VERSIONS}), "more than one Version"
    ),
    "has a manifest in two places": Attack(
        wheel_bytes(extra={"hotswap.toml": manifest_text()}),
        "two_manifests",
        ("hotswap.toml", f"{INFO}/hotswap.toml", "leave one out"),
    ),
    "has another version in METADATA": mismatched(
        wheel_bytes(metadata_version="2.0.0"), "2.0.0", INFO, *AGREE
    ),
    "has another version in its file name": mismatched(
        wheel_bytes(), "echo-2.0.0-py3-none-any.whl", *AGREE, name="echo-2.0.0-py3-none-any.whl"
    ),
    "has another name in its file name": mismatched(
        wheel_bytes(), "ekho-1.0.0", *AGREE, name="ekho-1.0.0-py3-none-any.whl"
    ),
    "has a file name of no wheel": mismatched(wheel_bytes(), "echo.whl", *AGREE, name="echo.whl"),
    "has another version in its manifest": mismatched(
        wheel_bytes(extra={f"{INFO}/hotswap.toml": manifest_text(version="1.0.1")}),
        *("1.0.0", "1.0.1", *AGREE),
    ),
    "has another name in its manifest": mismatched(
        wheel_bytes(name="ekho"), "'ekho'", "echo", *AGREE, name="ekho-1.0.0-py3-none-any.whl"
    ),
    "has no version at all": mismatched(
        wheel_bytes(extra={f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: echo\n"}),
        *("METADATA", *AGREE),
    ),
    "has a version that is none": mismatched(
        wheel_bytes(version="one", extra={"echo-one.dist-info/hotswap.toml": manifest_text()}),
        *("'one'", "1.0.0", *AGREE),
        name="echo-one-py3-none-any.whl",
    ),
    "is of another plugin": Attack(
        wheel_bytes(
            name="other", extra={"other-1.0.0.dist-info/hotswap.toml": manifest_text(name="other")}
        ),
        "manifest_unfit",
        ("is other", "the plugin is echo"),
        name="other-1.0.0-py3-none-any.whl",
    ),
}


@pytest.mark.parametrize(**table(DISAGREEMENTS))
def test_a_wheel_is_refused_that(refused, attack):
    """P08, P09"""
    refused(attack)


VERSIONS = {
    "two parts": "1.0",
    "one part": "1",
    "four parts": "1.0.0.0",
    "a leading v": "v1.0.0",
    "a leading zero": "1.00.0",
    "a local part": "1.0.0+evil",
    "an epoch": "1!1.0.0",
    "a space": "1.0.0 ",
    "digits of another script": "\u0661.0.0",
    "a development release": "1.0.0.dev1",
    "a post-release": "1.0.0.post1",
    "a dash": "1.0.0-rc1",
    "a number beyond reason": "1.0.9999999",
    "a path": "../1.0.0",
}


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_a_version_is_refused_with(refused, version):
    """P09: there is one spelling of each, so none is there twice."""
    data = plugin_zip(version=version)

    refused(Attack(data, "invalid_manifest", ("version", repr(version), "X.Y.Z")))


def conflict(content, code, *says):
    return Attack(content, code, says, status=409)


AGAIN = {
    "the same version with other bytes": conflict(
        plugin_zip({"more.py": ""}), "version_exists", "echo 1.0.0", "raise the version"
    ),
    "the very same bytes": conflict(
        plugin_zip(), "version_exists", "echo 1.0.0", "raise the version"
    ),
    "the same version as a wheel": conflict(
        wheel_bytes(), "version_exists", "echo 1.0.0", "raise the version"
    ),
    "the same version as a wheel of 1.0": conflict(
        zip_bytes({"hotswap.toml": manifest_text(), "echo.py": SOURCE, "n.txt": "1.0 == 1.0.0"}),
        *("version_exists", "echo 1.0.0", "raise the version"),
    ),
}


@pytest.mark.parametrize(**table(AGAIN))
def test_after_a_version_is_there_the_registry_refuses(refused, upload, echo, attack):
    """P09"""
    assert upload(plugin_zip()).status_code == 201

    refused(attack)

    assert PluginVersion.objects.get().version == "1.0.0"


@pytest.mark.parametrize("status", ["approved", "rejected", "yanked", "revoked", "deprecated"])
def test_a_version_is_never_replaced_whatever_became_of_it(refused, upload, echo, status):
    """P09: not even one that was refused or called back."""
    assert upload(plugin_zip()).status_code == 201
    PluginVersion.objects.update(status=status)

    refused(AGAIN["the same version with other bytes"])
