"""Layers: made once per digest, verified, and whole after any accident."""

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hotswap.lib.errors import InvalidInputError, UnavailableError
from plugins.artifact import ArtifactError, unpack_artifact
from plugins.layers import LayerCache, LayerTamperedError, remove_tree
from tests.artifacts import SOURCE, plugin_zip
from tests.waiting import wait_until

DATA = plugin_zip({"lib/data.txt": "x"})
DIGEST = hashlib.sha256(DATA).hexdigest()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path):
    cache = LayerCache(tmp_path / "layers", unpack_artifact)
    yield cache
    remove_tree(cache.root)


def fetch(path):
    path.write_bytes(DATA)


def never(_path):
    raise AssertionError("fetched again")


def rewrite(path, text):
    path.chmod(0o644)
    path.write_text(text)
    path.chmod(0o444)


def test_a_layer_is_unpacked_once_and_read_only(cache):
    tree = cache.ensure(DIGEST, fetch)
    assert (tree / "echo.py").read_text() == SOURCE
    assert (tree / "echo.py").stat().st_mode & 0o777 == 0o444
    assert (tree / "lib").stat().st_mode & 0o777 == 0o555
    assert cache.ensure(DIGEST, never) == cache.verify(DIGEST) == tree
    assert cache.digests() == [DIGEST]


def test_any_uid_can_walk_to_a_layer_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        tree = LayerCache(tmp_path / "layers", unpack_artifact).ensure(DIGEST, fetch)
    finally:
        os.umask(before)
    for path in (tree, tree.parent, tree.parent.parent):
        assert path.stat().st_mode & 0o001
    remove_tree(tmp_path / "layers")


def test_an_artifact_with_another_digest_is_never_unpacked(cache):
    with pytest.raises(LayerTamperedError) as caught:
        cache.ensure("0" * 64, fetch)
    assert caught.value.code == "artifact_tampered"
    assert cache.digests() == []


@pytest.mark.parametrize("digest", ["", "../../etc", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n"])
def test_only_a_digest_names_a_layer(cache, digest):
    with pytest.raises(InvalidInputError):
        cache.ensure(digest, fetch)


def test_a_layer_that_is_not_there_is_not_verified(cache):
    with pytest.raises(UnavailableError, match="fetch it first"):
        cache.verify(DIGEST)


def change_content(tree):
    rewrite(tree / "echo.py", SOURCE + "# evil")


def change_bytecode(tree):
    (bytecode,) = (tree / "__pycache__").iterdir()
    rewrite(bytecode, "evil")


def change_mode(tree):
    (tree / "echo.py").chmod(0o666)


def add_file(tree):
    tree.chmod(0o755)
    (tree / "evil.py").write_text("x")
    tree.chmod(0o555)


def remove_file(tree):
    (tree / "lib").chmod(0o755)
    (tree / "lib/data.txt").unlink()
    (tree / "lib").chmod(0o555)


def replace_by_link(tree):
    remove_file(tree)
    (tree / "lib").chmod(0o755)
    (tree / "lib/data.txt").symlink_to("/etc/passwd")


def break_record(tree):
    rewrite(tree.parent / "layer.json", "{}")


def remove_all(tree):
    remove_tree(tree)


@pytest.mark.parametrize(
    "tamper",
    [
        change_content,
        change_bytecode,
        change_mode,
        add_file,
        remove_file,
        replace_by_link,
        break_record,
        remove_all,
    ],
)
def test_an_altered_layer_is_quarantined_and_made_anew(cache, tamper):
    tree = cache.ensure(DIGEST, fetch)
    tamper(tree)
    with pytest.raises(LayerTamperedError) as caught:
        cache.ensure(DIGEST, never)
    assert caught.value.code == "layer_tampered"
    (aside,) = (cache.root / ".quarantine").iterdir()
    assert aside.name.startswith(DIGEST)
    assert (cache.ensure(DIGEST, fetch) / "echo.py").read_text() == SOURCE


def link(tree, name):
    (tree / name).symlink_to("/etc/passwd")


def second_name(tree, name):
    (tree / "first").write_text("x")
    os.link(tree / "first", tree / name)


def fifo(tree, name):
    os.mkfifo(tree / name)


@pytest.mark.parametrize("plant", [link, second_name, fifo])
def test_an_unpacker_that_was_taken_over_cannot_plant_special_files(tmp_path, plant):
    cache = LayerCache(tmp_path / "layers", lambda _, tree: plant(tree, "echo.py"))
    with pytest.raises(LayerTamperedError):
        cache.ensure(DIGEST, fetch)
    assert cache.digests() == []
    assert list((cache.root / ".incoming").iterdir()) == []


def test_what_cannot_be_unpacked_leaves_nothing(cache):
    data = b"not a zip"
    with pytest.raises(ArtifactError):
        cache.ensure(hashlib.sha256(data).hexdigest(), lambda path: path.write_bytes(data))
    assert cache.digests() == []
    assert list((cache.root / ".incoming").iterdir()) == []


def test_a_removed_layer_is_gone_and_can_come_back(cache):
    cache.ensure(DIGEST, fetch)
    cache.remove(DIGEST)
    cache.remove(DIGEST)
    assert cache.digests() == []
    assert cache.ensure(DIGEST, fetch).exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file/layers"):
        LayerCache(tmp_path / "file/layers", unpack_artifact).ensure(DIGEST, fetch)


def test_two_at_once_unpack_once(tmp_path):
    unpacked, trees = [], []

    def unpack(artifact, tree):
        unpacked.append(artifact)
        unpack_artifact(artifact, tree)

    caches = [LayerCache(tmp_path / "layers", unpack) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda cache=cache: trees.append(cache.ensure(DIGEST, fetch)))
        for cache in caches
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(unpacked) == 1
    assert len(trees) == 4
    remove_tree(tmp_path / "layers")


KILLED = """
import sys, time
from pathlib import Path
from plugins.artifact import unpack_artifact
from plugins.layers import LayerCache

def hang(artifact, tree):
    unpack_artifact(artifact, tree)
    Path(sys.argv[3]).touch()
    time.sleep(600)

data = Path(sys.argv[2]).read_bytes()
LayerCache(Path(sys.argv[1]), hang).ensure(sys.argv[4], lambda path: path.write_bytes(data))
"""


def test_a_process_killed_in_the_middle_holds_up_nobody(cache, tmp_path):
    source, mark = tmp_path / "source.zip", tmp_path / "mark"
    source.write_bytes(DATA)
    arguments = [sys.executable, "-c", KILLED, cache.root, source, mark, DIGEST]
    process = subprocess.Popen(arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_until(mark.exists, seconds=60, what="the other process is in the middle")
        assert (cache.root / ".incoming" / DIGEST / "tree/echo.py").exists()
    finally:
        process.kill()
        process.wait()
    assert cache.digests() == []
    assert (cache.ensure(DIGEST, fetch) / "echo.py").read_text() == SOURCE
    assert list((cache.root / ".incoming").iterdir()) == []
