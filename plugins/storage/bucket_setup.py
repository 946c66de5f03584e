"""The bucket: made if it is missing, versioned, encrypting, and closed to strangers."""

from collections.abc import Iterator

from plugins.storage.bucket import Bucket
from plugins.storage.errors import StorageError
from plugins.storage.findings import PROBE, RUN_SETUP, Finding, State, not_probed, probe
from plugins.storage.strangers import strangers_may

# Every other region must be named when a bucket is made, and this one must not.
_UNNAMED_REGION = "us-east-1"
_TURN_ON = (
    f"{RUN_SETUP} with a key that may set the bucket's versioning, or turn it on at the server"
)


class BucketSetup:
    """Without ``change`` it only looks."""

    def __init__(self, backend: Bucket, *, change: bool) -> None:
        self._backend, self._change = backend, change
        self._bucket = {"Bucket": backend.name}

    def findings(self) -> Iterator[Finding]:
        """Raises ``StorageError`` when there is no bucket to look at."""
        yield self._existence()
        yield self._versioning()
        if not self._change:
            yield strangers_may(self._backend)
            yield not_probed()
            return
        yield from probe(self._backend, self._while_there)

    def _existence(self) -> Finding:
        made = self._change and not self._backend.is_there()
        if made:
            self._make()
        self._backend.check()
        return Finding("storage", State.DONE if made else State.OK, self._backend.describe())

    def _versioning(self) -> Finding:
        """Earlier versions are what ``verifyartifacts --restore`` mends an altered object with."""
        try:
            if self._is_versioned():
                return Finding("versions", State.OK, "every version of an object is kept")
            if self._change:
                self._turn_versioning_on()
                if self._is_versioned():
                    return Finding("versions", State.DONE, "every version is kept from now on")
        except StorageError as error:
            return Finding("versions", State.WRONG, error.message, _TURN_ON)
        return Finding("versions", State.WRONG, "earlier versions are not kept", _TURN_ON)

    def _while_there(self) -> Iterator[Finding]:
        yield self._encryption()
        yield strangers_may(self._backend, PROBE)

    def _encryption(self) -> Finding:
        wanted = self._backend.encryption.get("ServerSideEncryption")
        if wanted is None:
            return Finding("encryption", State.NOTE, "not asked for: HOTSWAP_S3_ENCRYPTION=none")
        found = self._backend.encryption_of(PROBE)
        if found == wanted:
            return Finding("encryption", State.OK, f"{wanted}, as HOTSWAP_S3_ENCRYPTION asks")
        return Finding(
            "encryption",
            State.WRONG,
            f"the server took an object with {found or 'no encryption'} instead of {wanted}",
            "give the server a key service, or set HOTSWAP_S3_ENCRYPTION to what it does",
        )

    def _make(self) -> None:
        region = self._backend.region
        named = region and region != _UNNAMED_REGION
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if named else {}
        with self._backend.reaching():
            self._backend.client.create_bucket(**self._bucket, **where)

    def _is_versioned(self) -> bool:
        with self._backend.reaching():
            found = self._backend.client.get_bucket_versioning(**self._bucket)
        return bool(found.get("Status") == "Enabled")

    def _turn_versioning_on(self) -> None:
        with self._backend.reaching():
            self._backend.client.put_bucket_versioning(
                **self._bucket, VersioningConfiguration={"Status": "Enabled"}
            )
