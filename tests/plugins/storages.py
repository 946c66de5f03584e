"""The two kinds of storage, each as a fresh Django storage for one test."""

import hashlib

from django.core.files.storage import FileSystemStorage

DATA = b"an artifact"
DIGEST = hashlib.sha256(DATA).hexdigest()


def on_file_system(request):
    return FileSystemStorage(location=request.getfixturevalue("tmp_path") / "artifacts")


def on_s3(request):
    server = request.getfixturevalue("s3_server")
    return server.storage(server.new_bucket())
