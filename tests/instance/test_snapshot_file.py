"""What is kept on disk comes back as it was, or not at all."""

import shutil
from pathlib import Path

import orjson
import pytest

from deployments.instance.facts import AdmissionFact, HoldFact, SealedFact
from deployments.instance.identity import hold_name, open_identity
from deployments.instance.snapshot_file import Kept, SnapshotFile, SnapshotRefusedError
from hotswap.lib.errors import ConflictError, UnavailableError
from tests.instance.facts import credentials, installation, key, shard, snapshot


@pytest.fixture
def home(tmp_path):
    return tmp_path / "i-1"


def file_of(home):
    return SnapshotFile(open_identity("i-1", home))


def full(generation=7):
    return snapshot(
        generation,
        shards={
            "p": shard(
                installations={"acme": installation(config={"rate": 0.2})},
                admissions={"a": AdmissionFact("a", "d", "acme", "p", True)},
                open_holds={"h": HoldFact("h", "globex", "p", "v1", True)},
                sealed={"i-acme": SealedFact("i-acme", 1, "key", "Y2lwaGVydGV4dA==")},
            )
        },
        credentials=credentials(keys={"digest": key("digest")}),
    )


def keep(home, generation=7):
    file_of(home).save(Kept(full(generation), 1000.0, 3))


def index(home) -> Path:
    return home / "snapshot" / "index"


def test_a_snapshot_comes_back_as_it_was(home):
    keep(home)
    kept = file_of(home).load()
    assert kept == Kept(full(), 1000.0, 3)
    assert kept.snapshot.shards["p"].holds == {"globex": "v1"}


def test_nothing_was_ever_kept(home):
    assert file_of(home).load() is None


def test_only_what_changed_is_written_again(home):
    file = file_of(home)
    first = full()
    file.save(Kept(first, 1000.0, 1))
    before = {path.name: path.stat().st_ino for path in (home / "snapshot").iterdir()}
    file.save(Kept(snapshot(8, shards=first.shards, credentials=credentials()), 1001.0, 1))
    after = {path.name: path.stat().st_ino for path in (home / "snapshot").iterdir()}
    assert len(before.items() & after.items()) == 1
    assert len(after) == len(before)


def test_everything_kept_is_for_this_user_alone(home):
    keep(home)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("name", ["index", "shard", "floor"])
def test_what_was_altered_is_refused(home, name):
    keep(home)
    shards = [path for path in (home / "snapshot").iterdir() if path.suffix == ".json"]
    path = {"index": index(home), "shard": shards[0], "floor": home / "identity" / "floor"}[name]
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SnapshotRefusedError, match="altered"):
        file_of(home).load()


def test_an_index_that_names_another_file_is_refused(home):
    keep(home)
    mac, _, content = index(home).read_bytes().partition(b"\n")
    data = orjson.loads(content) | {"shards": ["../identity/key"]}
    index(home).write_bytes(mac + b"\n" + orjson.dumps(data))
    with pytest.raises(SnapshotRefusedError):
        file_of(home).load()


def test_an_older_snapshot_put_back_is_refused(home, tmp_path):
    keep(home, 7)
    shutil.copytree(home / "snapshot", tmp_path / "copy")
    keep(home, 8)
    shutil.rmtree(home / "snapshot")
    shutil.copytree(tmp_path / "copy", home / "snapshot")
    with pytest.raises(SnapshotRefusedError, match="older than 8"):
        file_of(home).load()


def test_another_instances_snapshot_is_refused(home, tmp_path):
    keep(home)
    other = tmp_path / "i-2"
    keep(other)
    shutil.rmtree(home / "snapshot")
    shutil.copytree(other / "snapshot", home / "snapshot")
    with pytest.raises(SnapshotRefusedError, match="altered, or is another instance's"):
        file_of(home).load()


def test_a_removed_snapshot_is_noticed(home):
    keep(home)
    index(home).unlink()
    with pytest.raises(SnapshotRefusedError, match="removed"):
        file_of(home).load()


def test_an_identity_is_made_once_and_kept(home):
    first, second = open_identity("i-1", home), open_identity("i-1", home)
    assert (first.id, first.public_key) == (second.id, second.public_key)
    assert first.derive(b"a") == second.derive(b"a") != first.derive(b"b")
    assert open_identity("i-1", first.renamed("0" * 32).home).id != first.id


def test_a_broken_identity_stops_the_start(home):
    open_identity("i-1", home)
    (home / "identity" / "key").write_bytes(b"short")
    with pytest.raises(UnavailableError, match="cannot be read"):
        open_identity("i-1", home)


def test_two_processes_of_one_name_are_refused(home):
    held = hold_name(home)
    with pytest.raises(ConflictError, match="runs already"):
        hold_name(home)
    assert held
