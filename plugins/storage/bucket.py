"""Artifacts in a bucket of an S3 API, through django-storages' connection."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import create_transfer_manager
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from plugins.storage.backend import CHUNK_BYTES, Backend, PresignedPut, Readable, StoredObject
from plugins.storage.refusals import MISSING, MISSING_BUCKET, code_of, explain, explain_unreachable

CONTENT_TYPE = "application/octet-stream"


class Bucket(Backend):
    """Calls the server with the waits and retries of ``plugins.storage.s3``."""

    def __init__(self, storage: S3Storage) -> None:
        self._storage = storage
        self.name: str = storage.bucket_name

    @property
    def client(self) -> Any:
        """A connection of this thread's own; making it asks nothing of the server."""
        with self.reaching():
            return self._storage.connection.meta.client

    @property
    def encryption(self) -> dict[str, str]:
        """What every write asks for: ``ServerSideEncryption`` and its key, or nothing."""
        return dict(self._storage.object_parameters)

    @property
    def region(self) -> str:
        return self._storage.region_name or ""

    def is_there(self) -> bool:
        """Whether the bucket exists; raises when the server will not say."""
        with self.reaching():
            try:
                self.client.head_bucket(Bucket=self.name)
            except ClientError as error:
                if code_of(error) in MISSING_BUCKET:
                    return False
                raise
        return True

    def encryption_of(self, key: str) -> str:
        with self.reaching(key):
            found = self.client.head_object(Bucket=self.name, Key=key)
        return found.get("ServerSideEncryption", "")

    def describe(self) -> str:
        return f"bucket {self.name!r} at {self._storage.endpoint_url or 'Amazon S3'}"

    def check(self) -> None:
        with self.reaching():
            self.client.head_bucket(Bucket=self.name)

    def exists(self, key: str) -> bool:
        with self.reaching(key):
            return self._storage.exists(key)

    def size(self, key: str) -> int:
        with self.reaching(key):
            return self.client.head_object(Bucket=self.name, Key=key)["ContentLength"]

    def put(self, key: str, source: Readable) -> None:
        """In parts when it is large; s3transfer takes back the parts of one that fails."""
        # Parts of a file are read from the disk as they are sent, those of a stream lie in memory.
        content = _path_of(source) or _Unclosed(source)
        extra = {"ContentType": CONTENT_TYPE, **self.encryption}
        with (
            self.reaching(),
            create_transfer_manager(self.client, self._storage.transfer_config) as manager,
        ):
            manager.upload(content, self.name, key, extra_args=extra).result()

    @contextmanager
    def open(self, key: str) -> "Iterator[File[bytes]]":
        with self.reaching(key), self._storage.open(key) as file:
            yield file

    @contextmanager
    def reading(self, key: str, version: str = "") -> Iterator[Iterator[bytes]]:
        """S3Storage's own file would first hold all of it in memory."""
        with self.reaching(key):
            which = {"VersionId": version} if version else {}
            answer = self.client.get_object(Bucket=self.name, Key=key, **which)
            with closing(answer["Body"]) as body:
                yield body.iter_chunks(CHUNK_BYTES)

    def delete(self, key: str) -> None:
        with self.reaching(key):
            self.client.delete_object(Bucket=self.name, Key=key)

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        pages = self.client.get_paginator("list_objects_v2")
        with self.reaching():
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after):
                for found in page.get("Contents", ()):
                    yield StoredObject(found["Key"], found["Size"], found["LastModified"])

    def versions(self, key: str) -> Iterator[StoredObject]:
        pages = self.client.get_paginator("list_object_versions")
        with self.reaching():
            for page in pages.paginate(Bucket=self.name, Prefix=key):
                for found in page.get("Versions", ()):
                    if found["Key"] == key:
                        yield StoredObject(
                            key, found["Size"], found["LastModified"], found["VersionId"]
                        )

    def restore(self, key: str, version: str) -> None:
        with self.reaching(key):
            source = {"Bucket": self.name, "Key": key, "VersionId": version}
            self.client.copy_object(Bucket=self.name, Key=key, CopySource=source, **self.encryption)

    def presigned_get(self, key: str, seconds: int) -> str | None:
        with self.reaching(key):
            wanted = {"Bucket": self.name, "Key": key}
            return self.client.generate_presigned_url("get_object", wanted, ExpiresIn=seconds)

    def presigned_put(self, key: str, size: int, digest: str, seconds: int) -> PresignedPut | None:
        """Length, type, sha256 and encryption are signed: the server refuses anything else."""
        checksum = b64encode(bytes.fromhex(digest)).decode()
        wanted = {
            "Bucket": self.name,
            "Key": key,
            "ContentLength": size,
            "ContentType": CONTENT_TYPE,
            "ChecksumSHA256": checksum,
            **self.encryption,
        }
        with self.reaching(key):
            url = self.client.generate_presigned_url("put_object", wanted, ExpiresIn=seconds)
        headers = {"Content-Type": CONTENT_TYPE, "x-amz-checksum-sha256": checksum}
        return PresignedPut(url, {**headers, **_encryption_headers(self.encryption)})

    @contextmanager
    def reaching(self, what: str = "") -> Iterator[None]:
        """As the base says; a missing object is told from a missing bucket by ``what``."""
        with super().reaching(what):
            try:
                yield
            except ClientError as error:
                if code_of(error) in MISSING and what:
                    raise self.missing(what) from error
                raise self.unavailable(*explain(error)) from error
            # Before the base: some of botocore's errors are OSErrors too.
            except (BotoCoreError, Boto3Error) as error:
                raise self.unavailable(*explain_unreachable(error)) from error


def _path_of(source: Readable) -> str | None:
    """Where all that ``source`` holds can be read again; None for streams and begun files."""
    if isinstance(source, BufferedReader) and source.seekable() and not source.tell():
        name = source.raw.name
        return name if isinstance(name, str) else None
    return None


class _Unclosed:
    """s3transfer closes what it was given to read, which is not its own."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def read(self, size: int = -1) -> bytes:
        return self._source.read(size)


def _encryption_headers(encryption: dict[str, str]) -> dict[str, str]:
    names = {
        "ServerSideEncryption": "x-amz-server-side-encryption",
        "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    }
    return {names[name]: value for name, value in encryption.items() if name in names}
