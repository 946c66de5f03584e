"""Layers made by a real jail."""

import hashlib
import os
from pathlib import Path
from zipfile import ZIP_STORED

import pytest
from django.conf import settings

from plugins import jailed_unpacking
from plugins.artifact_check import ArtifactRefusedError
from plugins.jailed_unpacking import unpack_in_jail
from plugins.layers import LayerCache, remove_tree
from sandbox.engine.jail import JailSettings
from tests.artifacts import (
    SOURCE,
    Member,
    good_members,
    manifest_text,
    plugin_zip,
    raw_zip,
    zip_bytes,
)


@pytest.fixture
def jail():
    return JailSettings(layers_root=Path(settings.LAYERS_DIR))


@pytest.fixture
def make(jail):
    """Make a layer of these bytes the way an instance does."""
    root = jail.layers_root / "test-layers"

    def make_layer(data, **options):
        cache = LayerCache(root, unpack_in_jail(jail, **options))
        return cache.ensure(hashlib.sha256(data).hexdigest(), lambda path: path.write_bytes(data))

    yield make_layer
    remove_tree(root)


def test_an_artifact_is_unpacked_in_a_jail_and_owned_by_us(make):
    tree = make(plugin_zip({"lib/data.txt": "x"}))
    assert (tree / "echo.py").read_text() == SOURCE
    assert list((tree / "__pycache__").iterdir())
    for path in (tree, *tree.rglob("*")):
        assert path.stat().st_uid == os.geteuid()
        assert path.stat().st_mode & 0o222 == 0


def test_what_the_jail_refuses_keeps_its_reason(make):
    with pytest.raises(ArtifactRefusedError) as caught:
        make(raw_zip(*good_members(), Member(b"../evil.py", b"x")))
    assert caught.value.code == "bad_name"
    assert "evil.py" in caught.value.message


def test_a_dependency_needs_no_manifest(make):
    data = zip_bytes({"babel/__init__.py": ""})
    assert (make(data, dependency=True) / "babel/__init__.py").exists()
    with pytest.raises(ArtifactRefusedError) as caught:
        make(zip_bytes({"other/__init__.py": ""}))
    assert caught.value.code == "no_manifest"


def test_an_archive_that_breaks_the_unpacker_is_refused(make, monkeypatch, tmp_path):
    (tmp_path / "__main__.py").write_text("import os; os.abort()")
    monkeypatch.setattr(jailed_unpacking, "PACKAGE", tmp_path)
    with pytest.raises(ArtifactRefusedError) as caught:
        make(plugin_zip())
    assert caught.value.code == "unpacking_failed"


def test_the_settings_bound_what_is_unpacked(make, settings):
    settings.UNPACKED_LIMIT_BYTES = 100

    with pytest.raises(ArtifactRefusedError) as caught:
        make(plugin_zip())

    assert caught.value.code == "unpacked_too_large"
    assert "over 100 bytes" in caught.value.message


@pytest.mark.slow
def test_an_operator_may_allow_more(make, settings):
    files = {f"data/{number}.bin": bytes(14 << 20) for number in range(5)}
    files |= {"hotswap.toml": manifest_text(), "echo.py": SOURCE}
    data = zip_bytes(files, compression=ZIP_STORED)
    with pytest.raises(ArtifactRefusedError):
        make(data)

    settings.ARTIFACT_LIMIT_BYTES = settings.UNPACKED_LIMIT_BYTES = 80 << 20

    assert len(list((make(data) / "data").iterdir())) == 5
