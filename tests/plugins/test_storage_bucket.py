"""What only a bucket does: encryption, parts, addresses, and refusals in words that help."""

import io
import os
import urllib.error
import urllib.request
import uuid
from unittest.mock import Mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from plugins.storage import ArtifactMissingError, ArtifactStore, StorageError
from plugins.storage.s3 import PART_BYTES, client_config, encryption_parameters
from tests.plugins.storages import DATA, DIGEST
from tests.s3 import READER_KEY

pytestmark = pytest.mark.s3


@pytest.fixture
def bucket(s3_server):
    return s3_server.new_bucket()


@pytest.fixture
def storage(s3_server, bucket):
    return s3_server.storage(bucket)


def head(s3_server, bucket, key=f"artifacts/sha256/{DIGEST}"):
    return s3_server.client().head_object(Bucket=bucket, Key=key)


def test_every_write_asks_for_encryption_and_gets_it(s3_server, bucket, store, source):
    store.save(source)
    assert head(s3_server, bucket)["ServerSideEncryption"] == "AES256"
    assert "x-amz-server-side-encryption" in store.presigned_put(uuid.uuid4(), 1, DIGEST, 9).headers


def test_a_presigned_put_cannot_leave_encryption_out(store):
    presigned = store.presigned_put(uuid.uuid4(), len(DATA), DIGEST, 60)
    headers = {k: v for k, v in presigned.headers.items() if "encryption" not in k}
    request = urllib.request.Request(presigned.url, data=DATA, method="PUT", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    with caught.value as answer:
        assert answer.code == 403


def test_a_server_that_cannot_encrypt_so_is_told_with_the_setting(s3_server, bucket, source):
    storage = s3_server.storage(bucket, encryption="aws:kms", encryption_key="ours")
    with pytest.raises(StorageError, match=r"refuses the encryption.*HOTSWAP_S3_ENCRYPTION=none"):
        ArtifactStore(storage).save(source)


def test_encryption_is_asked_for_as_configured():
    assert encryption_parameters("none", "") == {}
    assert encryption_parameters("aws:kms", "ours") == {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "ours",
    }


@pytest.mark.parametrize(("encryption", "key"), [("rot13", ""), ("", ""), ("AES256", "ours")])
def test_encryption_that_means_nothing_stops_the_start(encryption, key):
    with pytest.raises(ImproperlyConfigured, match="HOTSWAP_S3_ENCRYPTION"):
        encryption_parameters(encryption, key)


def test_a_large_object_goes_in_parts(s3_server, bucket, store, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(os.urandom(PART_BYTES) * 2 + b"and a bit")
    digest = store.save(large)
    parts = head(s3_server, bucket, f"artifacts/sha256/{digest}")["ETag"].strip('"')
    assert parts.endswith("-3")
    store.fetch(digest, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == large.stat().st_size


def test_parts_of_an_upload_that_broke_off_are_taken_back(s3_server, bucket, store):
    source = Mock(read=Mock(side_effect=[os.urandom(2 * PART_BYTES), OSError("the disk is gone")]))
    upload = uuid.uuid4()
    with pytest.raises(StorageError, match="the disk is gone"):
        store.stage(upload, source)
    assert not s3_server.client().list_multipart_uploads(Bucket=bucket).get("Uploads")
    with pytest.raises(ArtifactMissingError):
        store.staged_size(upload)


def test_a_bucket_that_is_missing_is_told_from_an_object_that_is(s3_server, store, source):
    with pytest.raises(ArtifactMissingError):
        store.size(DIGEST)
    nowhere = ArtifactStore(s3_server.storage("nowhere"))
    for reach in (
        lambda: nowhere.save(source),
        lambda: nowhere.stage(uuid.uuid4(), io.BytesIO(DATA)),
        lambda: list(nowhere.backend.objects("artifacts/")),
        nowhere.check,
    ):
        with pytest.raises(StorageError, match=r"'nowhere'.*does not exist.*setupstorage"):
            reach()


def test_a_wrong_secret_and_an_unknown_key_are_told(s3_server, bucket, source):
    for wrong in ({"secret_key": "wrong"}, {"access_key": "hotswap:nobody"}):
        store = ArtifactStore(s3_server.storage(bucket, **wrong))
        with pytest.raises(StorageError, match="HOTSWAP_S3_SECRET_ACCESS_KEY"):
            store.save(source)


def test_a_bucket_that_may_only_be_read_is_told(s3_server, bucket, store, source, tmp_path):
    store.save(source)
    s3_server.let_read(bucket)
    reader = ArtifactStore(s3_server.storage(bucket, access_key=READER_KEY))
    reader.fetch(DIGEST, tmp_path / "copy")
    for refused in (
        lambda: reader.delete(DIGEST),
        lambda: reader.stage(uuid.uuid4(), io.BytesIO(DATA)),
    ):
        with pytest.raises(StorageError, match=r"access is denied.*docs/storage.md"):
            refused()


def test_waits_and_attempts_are_bounded():
    config = client_config("path")
    assert config.connect_timeout <= 10
    assert config.read_timeout <= 60
    assert config.retries["total_max_attempts"] <= 5
