"""Uploads in one request: the file on local disk and hashed, then ``plugins.intake``."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

from hotswap.lib.errors import TooLargeError
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
    """Copy the upload to a temporary file, no further than ``settings.UPLOAD_LIMIT_BYTES``."""
    limit, digest, size = settings.UPLOAD_LIMIT_BYTES, hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(prefix="hotswap-upload-") as copy:
        for chunk in file.chunks():
            size += len(chunk)
            if size > limit:
                raise TooLargeError(f"The artifact is larger than the limit of {limit} bytes.")
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        yield SpooledArtifact(Path(copy.name), digest.hexdigest(), size, file.name or "")
