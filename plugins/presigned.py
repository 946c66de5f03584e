"""Large uploads in three steps: announce, PUT the bytes to the storage, complete."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.signing import Signer
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from hotswap.lib.errors import (
    ConflictError,
    ForbiddenError,
    HotSwapError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from observability.audit import record_event
from plugins.incoming import Beside, Incoming, SpooledArtifact
from plugins.intake import take_in
from plugins.models import Plugin, PluginVersion, PresignedUpload
from plugins.rules import check_may_edit
from plugins.storage import ArtifactMissingError, ArtifactStore, PresignedPut, StorageError

logger = structlog.get_logger(__name__)

MAX_OPEN_UPLOADS = 20
CHUNK_BYTES = 256 * 1024
_SALT = "plugins.presigned"


class _Checked:
    """Ends in an error unless the bytes are those that were announced."""

    def __init__(self, upload: PresignedUpload, read: Callable[[int], bytes]) -> None:
        self._upload, self._read, self._digest, self._size = upload, read, sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._read(CHUNK_BYTES if size < 0 else min(size, CHUNK_BYTES))
        self._digest.update(chunk)
        self._size += len(chunk)
        if not chunk:
            _check_size(self._upload, self._size)
            _check_digest(self._upload, self._digest.hexdigest())
        return chunk


def start_upload(
    *, plugin: Plugin, by: Any, digest: str, size_bytes: int, filename: str = ""
) -> PresignedUpload:
    """Leave to put an artifact of that sha256 and length, for as long as the settings say."""
    check_may_edit(by, plugin)
    limit = settings.ARTIFACT_LIMIT_BYTES
    if size_bytes > limit:
        raise TooLargeError(f"The artifact is larger than the limit of {limit} bytes.")
    _check_is_new(digest)
    _check_open_uploads(by)
    expires_at = timezone.now() + timedelta(seconds=settings.PRESIGNED_UPLOAD_SECONDS)
    return PresignedUpload.objects.create(
        plugin=plugin,
        created_by=by,
        filename=filename,
        digest=digest,
        size_bytes=size_bytes,
        expires_at=expires_at,
    )


def address_of(upload: PresignedUpload) -> PresignedPut | None:
    """Where the storage itself takes the bytes; None where ``receive_upload`` must."""
    seconds = max(1, round((upload.expires_at - timezone.now()).total_seconds()))
    return ArtifactStore().presigned_put(upload.pk, upload.size_bytes, upload.digest, seconds)


def receive_upload(
    *, upload: PresignedUpload, announced: int, read: Callable[[int], bytes]
) -> None:
    """Stage what is read, all of it and as it was announced, or nothing; unread where it cannot be.

    Whoever asks has shown the address's signature.
    """
    _check_is_open(upload)
    if address_of(upload):
        raise NotFoundError("The bytes of this upload go to the storage, not here.")
    if announced > upload.size_bytes:
        raise TooLargeError(f"The upload is larger than the {upload.size_bytes} bytes announced.")
    _check_size(upload, announced)
    ArtifactStore().stage(upload.pk, _Checked(upload, read), upload.size_bytes)


def complete_upload(
    *, upload: PresignedUpload, by: Any, beside: Beside | None = None
) -> PluginVersion:
    """The version that the bytes became; asked again, the same one.

    Whatever is refused is removed from the storage; what failed on our side may be tried again.
    """
    _check_own(upload, by)
    if upload.version:
        return upload.version
    try:
        _check_is_open(upload)
        version = _take_in(upload, by, beside)
    except UnavailableError:
        raise
    except HotSwapError as error:
        completed = _completed_meanwhile(upload)
        if error.code != "upload_missing":  # else a PUT that ends right now would be lost
            _clean(upload)
        if completed is None:
            raise
        return completed
    _clean(upload)
    return version


def _check_is_open(upload: PresignedUpload) -> None:
    if upload.completed_at:
        raise ConflictError("The upload was completed already.", code="upload_completed")
    if upload.expires_at <= timezone.now():
        raise ConflictError(
            f"The upload expired at {upload.expires_at:%Y-%m-%dT%H:%M:%SZ}: start another.",
            code="upload_expired",
        )


def signature_of(pk: UUID) -> str:
    """What the address of our own endpoint carries instead of credentials."""
    return Signer(salt=_SALT).signature(str(pk))


def check_signature(pk: UUID, signature: str) -> None:
    """Without looking for the upload: a stranger does not learn which ones there are."""
    if not constant_time_compare(signature, signature_of(pk)):
        raise UnauthenticatedError(
            "The address is not one that an upload was created with: send the bytes to its url.",
            code="upload_address_invalid",
        )


def _take_in(upload: PresignedUpload, by: Any, beside: Beside | None) -> PluginVersion:
    """From a copy of our own: whoever has the address may still replace the object."""
    store = ArtifactStore()
    _check_size(upload, _staged_size(store, upload))
    with tempfile.TemporaryDirectory(prefix="hotswap-upload-") as directory:
        path = Path(directory, "artifact")
        store.fetch_staged(upload.pk, path, upload.digest, upload.size_bytes)
        return take_in(
            plugin=upload.plugin,
            artifact=SpooledArtifact(path, upload.digest, upload.size_bytes, upload.filename),
            by=by,
            beside=beside,
            with_row=partial(_complete, upload),
        )


def _staged_size(store: ArtifactStore, upload: PresignedUpload) -> int:
    try:
        return store.staged_size(upload.pk)
    except ArtifactMissingError as error:
        raise ConflictError(
            "Nothing was put at the upload's address yet: send the file there, then complete it.",
            code="upload_missing",
        ) from error


def _check_size(upload: PresignedUpload, size: int) -> None:
    if size != upload.size_bytes:
        raise InvalidInputError(
            f"{upload.size_bytes} bytes were announced and {size} came: send the file again, or "
            "start an upload that says what comes.",
            code="size_mismatch",
            fields={"size_bytes": [f"the upload has {size}"]},
        )


def _check_digest(upload: PresignedUpload, digest: str) -> None:
    if digest != upload.digest:
        raise InvalidInputError(
            f"The bytes have the sha256 {digest}, not {upload.digest}: they were changed on the "
            "way, or the upload was created for another file.",
            code="digest_mismatch",
            fields={"digest": [f"the upload has {digest}"]},
        )


def _complete(upload: PresignedUpload, incoming: Incoming, version: PluginVersion) -> None:
    """In the transaction of the version's row: compare-and-swap, so that one completion wins."""
    row = PresignedUpload.objects.filter(pk=upload.pk, completed_at=None)
    if not row.update(version=version, completed_at=timezone.now()):
        raise ConflictError("The upload was completed already.", code="upload_completed")
    record_event(
        actor=incoming.by.get_username(),
        action="upload.completed",
        object_type="upload",
        object_id=str(upload.pk),
        after={"version": str(version)},
    )


def _completed_meanwhile(upload: PresignedUpload) -> PluginVersion | None:
    row = PresignedUpload.objects.filter(pk=upload.pk).select_related("version__plugin").first()
    return row.version if row else None


def _clean(upload: PresignedUpload) -> None:
    """The sweep does it later where the storage fails now."""
    try:
        ArtifactStore().discard(upload.pk)
    except StorageError as error:
        logger.warning("staging_not_cleaned", upload=str(upload.pk), error=error.message)


def _check_own(upload: PresignedUpload, by: Any) -> None:
    if upload.created_by_id != by.pk:
        raise ForbiddenError(
            f"The upload was started by {upload.created_by}: only they complete it.",
            code="not_your_upload",
        )
    check_may_edit(by, upload.plugin)


def _check_is_new(digest: str) -> None:
    same = PluginVersion.objects.filter(artifact_digest=digest).select_related("plugin").first()
    if same:
        raise ConflictError(f"This very artifact is {same} already.", code="artifact_exists")


def _check_open_uploads(by: Any) -> None:
    uploads = PresignedUpload.objects.filter(created_by=by, completed_at=None)
    if uploads.filter(expires_at__gt=timezone.now()).count() >= MAX_OPEN_UPLOADS:
        raise ConflictError(
            f"You have {MAX_OPEN_UPLOADS} uploads that are not completed: complete them, or wait "
            "until one expires.",
            code="too_many_uploads",
        )
