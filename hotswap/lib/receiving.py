"""Files of a form on their way in: to local disk at once, digested and counted as they arrive."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

# What multipart adds around one file: its boundaries and headers, and small fields beside it.
MULTIPART_OVERHEAD_BYTES = 64 * 1024


class HashedUpload(TemporaryUploadedFile):
    """A whole file on local disk; ``digest`` is the sha256 of its bytes in hex."""

    digest: str = ""


class HashingUploadHandler(FileUploadHandler):
    """Takes files of at most ``settings.UPLOAD_LIMIT_BYTES``; what announces more goes unread.

    Also for those that a middleware parses before any view is asked.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django gives it by this name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > settings.UPLOAD_LIMIT_BYTES + MULTIPART_OVERHEAD_BYTES:
            raise RequestDataTooBig(f"{content_length} bytes were announced.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._digest = sha256()
        self._file = HashedUpload(
            self.file_name or "", self.content_type, 0, self.charset, self.content_type_extra
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.UPLOAD_LIMIT_BYTES:
            self.upload_interrupted()
            raise RequestDataTooBig(f"A file has more than {start} bytes.")
        self._digest.update(raw_data)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> HashedUpload:
        self._file.seek(0)  # which also writes out what the buffer holds
        self._file.size = file_size
        self._file.digest = self._digest.hexdigest()
        return self._file

    def upload_interrupted(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
