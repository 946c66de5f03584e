"""Artifacts on disk, read, and the storages that they go to."""

import pytest

from plugins.artifact import ArtifactError, inspect_artifact
from plugins.storage import ArtifactStore
from tests.plugins.storages import DATA, on_file_system, on_s3
from tests.s3 import s3_server  # noqa: F401 - a fixture


@pytest.fixture
def write(tmp_path):
    def write_artifact(data, name="artifact.zip"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_artifact


@pytest.fixture
def refusal(write):
    """The code with which the bytes are refused."""

    def refuse(data, **options):
        with pytest.raises(ArtifactError) as caught:
            inspect_artifact(write(data), **options)
        return caught.value.code

    return refuse


@pytest.fixture(params=[on_file_system, pytest.param(on_s3, marks=pytest.mark.s3)])
def storage(request):
    """Empty, of Django's; what takes it holds for both kinds."""
    return request.param(request)


@pytest.fixture
def store(storage):
    return ArtifactStore(storage)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "upload.zip"
    path.write_bytes(DATA)
    return path
