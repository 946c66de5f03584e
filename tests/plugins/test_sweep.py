"""The integrity sweep and ``manage.py verifyartifacts``, on both kinds of storage."""

import hashlib
import io
import json
import os
import uuid
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from observability.models import AuditEvent
from plugins.models import DependencyLock, PresignedUpload
from plugins.storage import ArtifactMissingError, ArtifactStore, StorageError
from plugins.sweep import Problem, Sweep
from tests.factories import make_plugin, make_user, make_version
from tests.plugins.scripted_s3 import BUSY, serving
from tests.plugins.storages import DATA, DIGEST

pytestmark = pytest.mark.django_db
KEY = f"artifacts/sha256/{DIGEST}"
# Servers round up to the next second when an object was stored.
NO_GRACE = timedelta(hours=-1)


@pytest.fixture
def storage(storage, monkeypatch):
    """Behind the alias, too."""
    monkeypatch.setitem(storages._storages, "artifacts", storage)
    return storage


@pytest.fixture
def version(storage):
    return make_version(make_plugin("echo", owner=make_user("bob")), digest=DIGEST)


def alter(store, data=b"another thing", key=KEY):
    store.backend.delete(key)
    store.backend.put(key, io.BytesIO(data))


def findings(store, after="", grace=NO_GRACE):
    return [each.finding for each in Sweep(store, grace).walk(after) if each.finding]


def run(*arguments):
    """The document that it printed, and whether it ended well."""
    output = io.StringIO()
    try:
        call_command("verifyartifacts", "--json", *arguments, stdout=output)
    except CommandError:
        return json.loads(output.getvalue()), False
    return json.loads(output.getvalue()), True


def test_what_is_as_it_should_be_is_no_finding(store, source, version):
    store.save(source)
    assert findings(store) == []
    document, well = run()
    assert well
    assert (document["objects"], document["bytes"]) == (1, len(DATA))


def test_a_missing_artifact_is_found_with_who_needs_it(store, version):
    (found,) = findings(store)
    assert (found.problem, found.key) == (Problem.MISSING, KEY)
    assert found.needed_by == "echo 1.0.0"


def test_an_altered_artifact_is_found(store, source, version):
    store.save(source)
    alter(store, DATA[::-1])
    (found,) = findings(store)
    assert found.problem is Problem.ALTERED
    assert found.found_digest == hashlib.sha256(DATA[::-1]).hexdigest()


def test_an_artifact_without_a_row_is_found_when_it_is_no_longer_young(store, source):
    store.save(source)
    assert findings(store, grace=timedelta(hours=1)) == []
    (found,) = findings(store)
    assert (found.problem, found.key) == (Problem.ORPHANED, KEY)


def test_wheels_of_a_lock_are_needed(store, source, storage):
    wheel = {"sha256": DIGEST, "filename": "babel-2.1-py3-none-any.whl"}
    DependencyLock.objects.create(digest="a" * 64, packages=[wheel])
    (found,) = findings(store)
    assert found.problem is Problem.MISSING
    assert found.needed_by == "lock aaaaaaaaaaaa: babel-2.1-py3-none-any.whl"
    store.save(source)
    assert findings(store) == []


def test_a_staged_upload_is_an_orphan_unless_it_may_still_be_completed(store, storage):
    plugin = make_plugin("echo", owner=make_user("bob"))
    upload = PresignedUpload.objects.create(
        plugin=plugin,
        created_by=plugin.owner,
        digest=DIGEST,
        size_bytes=len(DATA),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    left = uuid.uuid4()
    for staged in (upload.pk, left):
        store.stage(staged, io.BytesIO(DATA))
    assert [found.key for found in findings(store)] == [f"uploads/{left}"]


def test_what_is_no_digest_is_an_orphan(store, storage):
    store.backend.put("artifacts/sha256/notes.txt", io.BytesIO(b"?"))
    assert [found.problem for found in findings(store)] == [Problem.ORPHANED]


def test_many_of_each_are_told_apart_and_a_walk_goes_on_where_it_ended(store, storage, tmp_path):
    plugin = make_plugin("echo", owner=make_user("bob"))
    kinds = {}
    for number in range(9):
        data = os.urandom(20)
        digest = hashlib.sha256(data).hexdigest()
        kind = ("well", "missing", "altered")[number % 3]
        make_version(plugin, f"1.{number}.0", digest=digest)
        kinds[f"artifacts/sha256/{digest}"] = kind
        if kind != "missing":
            (tmp_path / "file").write_bytes(data)
            store.save(tmp_path / "file")
        if kind == "altered":
            alter(store, key=f"artifacts/sha256/{digest}")
    found = {each.key: each.problem for each in findings(store)}
    assert found == {key: kind for key, kind in kinds.items() if kind != "well"}
    keys = sorted(kinds)
    rest = [each.key for each in Sweep(store).walk(after=keys[3])]
    assert rest == keys[4:]


def test_the_command_names_what_is_wrong_and_fails(store, source, version):
    store.save(source)
    alter(store)
    document, well = run()
    assert not well
    (found,) = document["findings"]
    assert (found["problem"], found["needed_by"]) == ("altered", "echo 1.0.0")
    output = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 objects"):
        call_command("verifyartifacts", stdout=output)
    assert f"altered   {KEY}  echo 1.0.0" in output.getvalue()


def test_every_finding_is_audited_and_alarms(store, version, caplog):
    run()
    event = AuditEvent.objects.get(action="artifact.missing")
    assert (event.object_type, event.object_id) == ("artifact", DIGEST)
    assert event.actor.startswith("verifyartifacts run by")
    assert event.after["needed_by"] == "echo 1.0.0"


def test_orphans_are_removed_only_when_asked_to(store, source, storage):
    store.save(source)
    store.stage(uuid.uuid4(), io.BytesIO(DATA))
    assert not run("--grace-hours=-1")[1]
    assert store.exists(DIGEST)
    document, well = run("--grace-hours=-1", "--remove-orphans")
    assert well
    assert [each["way_out"] for each in document["findings"]] == ["removed", "removed"]
    assert not store.exists(DIGEST)
    assert AuditEvent.objects.filter(action="artifact.removed").count() == 2
    assert run("--grace-hours=-1")[0]["findings"] == []


def test_removing_orphans_leaves_what_is_damaged_alone(store, source, version):
    store.save(source)
    alter(store)
    document, well = run("--grace-hours=-1", "--remove-orphans")
    assert not well
    assert document["findings"][0]["problem"] == "altered"
    assert store.exists(DIGEST)


def test_a_storage_that_fails_midway_breaks_the_command_off(version, monkeypatch):
    with serving(BUSY) as (_, store):
        monkeypatch.setattr(
            "plugins.management.commands.verifyartifacts.ArtifactStore", lambda: store
        )
        document, well = run()
    assert not well
    assert document["complete"] is False


@pytest.mark.s3
class TestVersionedBucket:
    @pytest.fixture
    def storage(self, s3_server, monkeypatch):
        storage = s3_server.storage(s3_server.new_bucket())
        monkeypatch.setitem(storages._storages, "artifacts", storage)
        call_command("setupstorage", stdout=io.StringIO())
        return storage

    def overwrite(self, store, *contents):
        for data in contents:
            store.backend.put(KEY, io.BytesIO(data))

    def test_an_altered_object_is_restored_from_its_newest_intact_version(
        self, store, source, version, tmp_path
    ):
        store.save(source)
        self.overwrite(store, b"altered", b"altered twice")
        document, well = run()
        assert not well
        assert document["findings"][0]["way_out"] == "restore it with --restore"
        document, well = run("--restore")
        assert well
        assert document["findings"][0]["is_mended"]
        store.fetch(DIGEST, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == DATA
        assert AuditEvent.objects.filter(action="artifact.restored").count() == 1
        assert run()[0]["findings"] == []

    def test_a_removed_object_is_restored(self, store, source, version):
        store.save(source)
        store.delete(DIGEST)
        assert run("--restore")[1]
        assert store.size(DIGEST) == len(DATA)

    def test_without_an_intact_version_it_stays_wrong(self, store, version):
        self.overwrite(store, b"never right", b"nor this")
        document, well = run("--restore")
        assert not well
        assert document["findings"][0]["earlier"] == ""

    def test_what_is_restored_is_encrypted_again(self, s3_server, store, storage, source, version):
        store.save(source)
        self.overwrite(store, b"altered")
        run("--restore")
        assert store.backend.encryption_of(KEY) == "AES256"


def test_a_directory_has_nothing_to_restore_from(tmp_path):
    store = ArtifactStore(FileSystemStorage(location=tmp_path))
    assert list(store.backend.versions(KEY)) == []
    with pytest.raises(StorageError, match="backup"):
        store.backend.restore(KEY, "1")
    with pytest.raises(ArtifactMissingError):
        store.size(DIGEST)


def test_a_lost_database_breaks_the_command_off_without_a_traceback(storage, monkeypatch):
    lost = Mock(side_effect=OperationalError("the server closed the connection"))
    monkeypatch.setattr("plugins.sweep.walk.needed_keys", lost)
    document, well = run()
    assert not well
    assert document == {"complete": False, "objects": 0, "bytes": 0, "findings": []}
