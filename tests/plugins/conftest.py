"""Artifacts on disk, read."""

import pytest

from plugins.artifact import ArtifactError, inspect_artifact


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
