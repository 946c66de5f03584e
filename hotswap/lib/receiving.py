"""Files of a form on their way in: to local disk at once, digested and counted as they arrive."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from hotswap.lib.errors import UnavailableError

# What multipart adds around one file: its boundaries and headers, and small fields beside it.
MULTIPART_OVERHEAD_BYTES = 64 * 1024


class HashedUpload(UploadedFile):  # type: ignore[type-arg]
    """A whole file on local disk; ``digest`` is the sha256 of its bytes in hex.

    It has no name there, so a process that is killed leaves nothing of it.
    """

    digest: str = ""

    def temporary_file_path(self) -> str:
        """Where this process, and only this one, can open it until it is closed."""
        return f"/proc/self/fd/{self.fileno()}"


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
            TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR),  # noqa: SIM115 - the request closes it
            *(self.file_name, self.content_type, 0, self.charset, self.content_type_extra),
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.UPLOAD_LIMIT_BYTES:
            self.upload_interrupted()
            raise RequestDataTooBig(f"A file has more than {start} bytes.")
        self._digest.update(raw_data)
        with self._writing():
            self._file.write(raw_data)

    def file_complete(self, file_size: int) -> HashedUpload:
        with self._writing():
            self._file.seek(0)  # which also writes out what the buffer holds
        self._file.size = file_size
        self._file.digest = self._digest.hexdigest()
        return self._file

    def upload_interrupted(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Closing would write what is left in the buffer, and fail again.
            with suppress(OSError):
                self.upload_interrupted()
            raise UnavailableError(
                f"The upload cannot be kept on this server's disk: {error.strerror}. Try again "
                "when its temporary directory has room."
            ) from error
