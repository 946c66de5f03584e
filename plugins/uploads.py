"""Uploads in one request: the file on local disk and hashed, then ``plugins.intake``."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol

from django.conf import settings

from hotswap.lib.errors import TooLargeError
from hotswap.lib.receiving import HashedUpload
from plugins.incoming import Beside, SpooledArtifact
from plugins.intake import take_in
from plugins.models import Plugin, PluginVersion
from plugins.rules import check_may_edit


class Upload(Protocol):
    """Django's uploaded files and plain ``File`` objects."""

    name: str | None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]: ...


def upload_version(
    *, plugin: Plugin, file: Upload, by: Any, beside: Beside | None = None
) -> PluginVersion:
    """Store ``file`` as a new draft version of ``plugin``; refused files leave nothing behind."""
    check_may_edit(by, plugin)
    with spool(file) as artifact:
        return take_in(plugin=plugin, artifact=artifact, by=by, beside=beside)


@contextmanager
def spool(file: Upload) -> Iterator[SpooledArtifact]:
    """The upload as a file of our own: the one that the request was received into, or a copy."""
    if isinstance(file, HashedUpload):
        path = Path(file.temporary_file_path())
        yield SpooledArtifact(path, file.digest, file.size or 0, file.name or "")
        return
    with tempfile.NamedTemporaryFile(prefix="hotswap-upload-") as copy:
        digest, size = _copy(file, copy)
        yield SpooledArtifact(Path(copy.name), digest, size, file.name or "")


def _copy(file: Upload, target: IO[bytes]) -> tuple[str, int]:
    limit, digest, size = settings.UPLOAD_LIMIT_BYTES, sha256(), 0
    for chunk in file.chunks():
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"The artifact is larger than the limit of {limit} bytes.")
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    return digest.hexdigest(), size
