"""One contract, on the file system and on a real S3 server over HTTP."""

import errno
import os
import subprocess
import sys
import threading
import tracemalloc
import urllib.error
import urllib.request
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from hotswap.embedded.ports import any_free_port
from hotswap.lib.errors import InvalidInputError
from plugins.storage import (
    ArtifactMissingError,
    ArtifactStore,
    ArtifactTamperedError,
    StorageError,
)
from tests.plugins.storages import DATA, DIGEST, on_s3
from tests.s3 import S3Server
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def replace(storage, digest, data):
    """What somebody with access to the storage could do."""
    key = f"artifacts/sha256/{digest}"
    storage.delete(key)
    storage.save(key, ContentFile(data))


def test_what_was_saved_comes_back(store, source, tmp_path):
    assert store.save(source) == DIGEST
    store.fetch(DIGEST, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert store.exists(DIGEST)
    assert store.size(DIGEST) == len(DATA)
    with store.open(DIGEST) as file:
        assert file.read() == DATA


def test_the_same_bytes_are_stored_once(store, storage, source):
    assert store.save(source) == store.save(source, DIGEST) == DIGEST
    assert storage.listdir("artifacts/sha256") == ([], [DIGEST])


def test_bytes_that_are_not_what_was_announced_are_not_stored(store, source):
    with pytest.raises(InvalidInputError) as caught:
        store.save(source, "0" * 64)
    assert caught.value.code == "digest_mismatch"
    assert not store.exists(DIGEST)


def test_many_at_once_store_one(store, storage, source):
    threads = [threading.Thread(target=store.save, args=(source,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert storage.listdir("artifacts/sha256") == ([], [DIGEST])


def test_what_was_replaced_in_the_storage_is_refused_and_not_left_behind(
    store, storage, source, tmp_path
):
    store.save(source)
    replace(storage, DIGEST, b"an artefact")
    with pytest.raises(ArtifactTamperedError, match="another sha256"):
        store.fetch(DIGEST, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_object_of_another_size_is_not_taken_for_the_same(store, storage, source):
    replace(storage, DIGEST, b"half")
    with pytest.raises(ArtifactTamperedError, match="4 bytes"):
        store.save(source)


def test_an_object_that_was_altered_is_not_taken_for_the_same(store, storage, source):
    replace(storage, DIGEST, DATA[::-1])
    with pytest.raises(ArtifactTamperedError, match=r"altered.*verifyartifacts"):
        store.save(source)


def test_a_second_writer_changes_nothing(store, storage, source):
    store.save(source)
    first = storage.get_modified_time(f"artifacts/sha256/{DIGEST}")
    writes = Mock(side_effect=AssertionError("written again"))
    store.backend.put = writes
    assert store.save(source) == DIGEST
    assert storage.get_modified_time(f"artifacts/sha256/{DIGEST}") == first


def test_what_was_never_stored_is_missing(store, tmp_path):
    with pytest.raises(ArtifactMissingError):
        store.fetch(DIGEST, tmp_path / "copy")
    with pytest.raises(ArtifactMissingError), store.open(DIGEST):
        pass
    assert not (tmp_path / "copy").exists()
    assert not store.exists(DIGEST)


def test_what_was_deleted_is_gone_and_deleting_again_is_fine(store, source):
    store.save(source)
    store.delete(DIGEST)
    store.delete(DIGEST)
    assert not store.exists(DIGEST)


@pytest.mark.parametrize("digest", ["", "../../secret", DIGEST.upper(), DIGEST + "\n", DIGEST[1:]])
def test_only_a_digest_is_a_name(store, digest):
    with pytest.raises(InvalidInputError):
        store.exists(digest)


def test_a_large_artifact_never_lies_in_memory(store, tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        for _ in range(40):
            file.write(os.urandom(1 << 20))
    tracemalloc.start()
    try:
        digest = store.save(large)
        tracemalloc.reset_peak()
        store.fetch(digest, tmp_path / "copy")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 << 20
    assert (tmp_path / "copy").stat().st_size == 40 << 20


def test_a_storage_that_works_passes_its_check(store):
    store.check()


def test_the_default_store_is_djangos_alias(settings, tmp_path, source):
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"location": str(tmp_path / "here")}
    settings.STORAGES = {"artifacts": {"BACKEND": backend, "OPTIONS": options}}
    ArtifactStore().save(source)
    assert (tmp_path / "here/artifacts/sha256" / DIGEST).read_bytes() == DATA


def test_a_file_system_gives_no_addresses(tmp_path):
    assert ArtifactStore(FileSystemStorage(location=tmp_path)).url(DIGEST) is None


def test_a_file_that_was_not_written_to_the_end_is_never_seen(tmp_path, source, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", Mock(side_effect=full))
    with pytest.raises(StorageError, match="No space left"):
        ArtifactStore(FileSystemStorage(location=tmp_path / "a")).save(source)
    assert list((tmp_path / "a/artifacts/sha256").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named(tmp_path, source):
    (tmp_path / "file").write_text("")
    store = ArtifactStore(FileSystemStorage(location=tmp_path / "file/artifacts"))
    with pytest.raises(StorageError, match="file/artifacts"):
        store.save(source)
    with pytest.raises(StorageError):
        store.check()


def test_a_server_that_is_not_there_is_named(source, tmp_path):
    server = S3Server(tmp_path, port=any_free_port())
    store = ArtifactStore(server.storage("artifacts"))
    for reach in (
        lambda: store.save(source),
        lambda: store.fetch(DIGEST, tmp_path / "copy"),
        lambda: store.exists(DIGEST),
        store.check,
    ):
        with pytest.raises(StorageError, match=server.endpoint):
            reach()


@pytest.mark.s3
def test_a_bucket_that_is_missing_is_named(s3_server, source):
    store = ArtifactStore(s3_server.storage("nowhere"))
    with pytest.raises(StorageError, match="'nowhere'"):
        store.save(source)
    with pytest.raises(StorageError, match="HOTSWAP_S3_"):
        store.check()


@pytest.mark.s3
def test_a_wrong_secret_key_is_refused_by_the_server(s3_server, source):
    store = ArtifactStore(s3_server.storage("artifacts", secret_key="wrong"))
    with pytest.raises(StorageError):
        store.save(source)


@pytest.fixture
def presigned(s3_server, request, source):
    store = ArtifactStore(on_s3(request))
    store.save(source)
    return store.url(DIGEST)


def download(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()


@pytest.mark.s3
def test_a_presigned_address_downloads_without_credentials(presigned):
    assert download(presigned) == DATA


@pytest.mark.s3
def test_a_presigned_address_cannot_be_changed_to_another_object(presigned):
    with pytest.raises(urllib.error.HTTPError) as caught:
        download(presigned.replace(DIGEST, "0" * 64))
    with caught.value as answer:
        assert answer.code == 403


@pytest.mark.s3
def test_the_server_ends_with_whoever_started_it(tmp_path):
    program = (
        "import sys; from pathlib import Path; from tests.s3 import S3Server\n"
        "server = S3Server(Path(sys.argv[1]) / 's3'); server.start()\n"
        "Path(sys.argv[1], 'pids').write_text(' '.join(str(p.pid) for p in server.processes))\n"
        "sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path)]
    starter = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
    try:
        pids = tmp_path / "pids"
        wait_until(lambda: pids.exists() and pids.read_text(), seconds=60, what="the server is up")
    finally:
        starter.kill()
        starter.wait()
        starter.stdin.close()
    wait_until(
        lambda: not any(Path("/proc", pid).exists() for pid in pids.read_text().split()),
        what="its four processes are gone",
    )
