"""A server that is slow, busy or lost: bounded attempts, and only of what may pass."""

import pytest

from plugins.storage import ArtifactMissingError, StorageError
from plugins.storage.s3 import ATTEMPTS
from tests.plugins.scripted_s3 import BUSY, DENIED, FOUND, serving
from tests.plugins.storages import DATA, DIGEST


def test_a_server_that_never_answers_is_given_up_after_few_attempts():
    with serving(None) as (server, store):
        with pytest.raises(StorageError, match=r"does not answer in time.*HOTSWAP_S3_ENDPOINT_URL"):
            store.check()
        assert len(server.requests) == ATTEMPTS


def test_a_busy_server_is_asked_again_but_not_for_ever(tmp_path):
    with serving(BUSY) as (server, store):
        with pytest.raises(StorageError, match="slow down"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert len(server.requests) == ATTEMPTS


def test_what_passes_is_not_noticed(tmp_path):
    with serving(BUSY, FOUND) as (server, store):
        store.fetch(DIGEST, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == DATA
        assert len(server.requests) == 2


def test_a_refusal_is_not_repeated(tmp_path):
    with serving(DENIED) as (server, store):
        with pytest.raises(StorageError, match="access is denied"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert len(server.requests) == 1


def test_a_missing_object_is_not_asked_for_again():
    with serving((404, b"")) as (server, store):
        with pytest.raises(ArtifactMissingError):
            store.size(DIGEST)
        assert len(server.requests) == 1


@pytest.mark.parametrize("missing", [5, 1 << 20])
def test_a_download_that_stops_halfway_leaves_nothing(tmp_path, missing):
    with serving((200, DATA[:5], missing)) as (_, store):
        with pytest.raises(StorageError, match=r"127\.0\.0\.1"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


def test_a_server_that_answers_nonsense_is_named():
    with serving((500, b"<html>gateway</html>")) as (server, store):
        with pytest.raises(StorageError, match=r"127\.0\.0\.1"):
            store.size(DIGEST)
        assert len(server.requests) == ATTEMPTS
