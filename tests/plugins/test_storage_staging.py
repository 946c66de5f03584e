"""Uploads on their way in: put where nothing reads them, verified as a copy, named by digest."""

import base64
import hashlib
import io
import urllib.error
import urllib.request
import uuid

import pytest
from django.core.files.storage import FileSystemStorage

from hotswap.lib.errors import InvalidInputError, TooLargeError
from plugins.storage import ArtifactMissingError, ArtifactStore
from tests.plugins.storages import DATA, DIGEST
from tests.waiting import wait_until


@pytest.fixture
def upload():
    return uuid.uuid4()


def test_what_was_staged_is_no_artifact_until_it_is_adopted(store, upload):
    assert store.stage(upload, io.BytesIO(DATA)) == len(DATA)
    assert store.staged_size(upload) == len(DATA)
    assert not store.exists(DIGEST)
    store.adopt(upload, DIGEST)
    with store.open(DIGEST) as file:
        assert file.read() == DATA
    with pytest.raises(ArtifactMissingError):
        store.staged_size(upload)


def test_what_is_not_as_announced_is_not_adopted(store, upload):
    store.stage(upload, io.BytesIO(b"something else"))
    with pytest.raises(InvalidInputError) as caught:
        store.adopt(upload, DIGEST)
    assert caught.value.code == "digest_mismatch"
    assert not store.exists(DIGEST)


def test_a_second_attempt_replaces_the_first(store, upload):
    store.stage(upload, io.BytesIO(b"cut o"))
    store.stage(upload, io.BytesIO(DATA))
    store.adopt(upload, DIGEST)
    assert store.size(DIGEST) == len(DATA)


def test_more_than_was_announced_is_not_kept(store, upload):
    with pytest.raises(TooLargeError, match="10 bytes"):
        store.stage(upload, io.BytesIO(DATA), limit=10)
    with pytest.raises(ArtifactMissingError):
        store.staged_size(upload)


def test_a_copy_to_look_into_is_verified(store, upload, tmp_path):
    store.stage(upload, io.BytesIO(DATA))
    store.fetch_staged(upload, tmp_path / "copy", DIGEST, limit=len(DATA))
    assert (tmp_path / "copy").read_bytes() == DATA
    for digest, limit, refusal in (
        ("0" * 64, len(DATA), InvalidInputError),
        (DIGEST, 3, TooLargeError),
    ):
        with pytest.raises(refusal):
            store.fetch_staged(upload, tmp_path / "refused", digest, limit=limit)
        assert not (tmp_path / "refused").exists()


def test_discarding_twice_is_fine(store, upload):
    store.stage(upload, io.BytesIO(DATA))
    store.discard(upload)
    store.discard(upload)
    with pytest.raises(ArtifactMissingError):
        store.adopt(upload, DIGEST)


@pytest.mark.parametrize("name", ["", "../artifacts/sha256/" + DIGEST, DIGEST])
def test_only_the_id_of_an_upload_is_a_name(store, name):
    with pytest.raises(InvalidInputError):
        store.stage(name, io.BytesIO(DATA))


def put(presigned, data, **changes):
    headers = {**presigned.headers, **changes}
    request = urllib.request.Request(presigned.url, data=data, method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status


def status(presigned, data, **changes):
    try:
        return put(presigned, data, **changes)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.s3
class TestPresigned:
    @pytest.fixture
    def storage(self, s3_server):
        return s3_server.storage(s3_server.new_bucket())

    def test_a_presigned_put_takes_the_announced_bytes_without_credentials(
        self,
        store,
        upload,
    ):
        assert put(store.presigned_put(upload, len(DATA), DIGEST, 60), DATA) == 200
        store.adopt(upload, DIGEST)
        assert store.size(DIGEST) == len(DATA)

    def test_a_presigned_put_is_bound_to_length_type_and_digest(self, store, upload):
        presigned = store.presigned_put(upload, len(DATA), DIGEST, 60)
        assert status(presigned, DATA + b"!") == 403
        assert status(presigned, DATA[::-1]) == 400
        assert status(presigned, DATA, **{"Content-Type": "text/html"}) == 403
        other = base64.b64encode(hashlib.sha256(DATA[::-1]).digest()).decode()
        assert status(presigned, DATA[::-1], **{"x-amz-checksum-sha256": other}) == 403
        with pytest.raises(ArtifactMissingError):
            store.staged_size(upload)

    def test_a_presigned_put_cannot_be_led_to_another_key(self, store, upload):
        presigned = store.presigned_put(upload, len(DATA), DIGEST, 60)
        elsewhere = presigned.url.replace(f"uploads/{upload}", f"artifacts/sha256/{DIGEST}")
        assert status(type(presigned)(elsewhere, presigned.headers), DATA) == 403

    def test_addresses_expire(self, store, upload):
        presigned = store.presigned_put(upload, len(DATA), DIGEST, 1)
        wait_until(lambda: status(presigned, DATA) == 403, what="the address has expired")


def test_a_directory_gives_no_addresses(tmp_path, upload):
    store = ArtifactStore(FileSystemStorage(location=tmp_path))
    assert store.presigned_put(upload, 1, DIGEST, 60) is None
