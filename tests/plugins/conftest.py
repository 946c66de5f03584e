"""Artifacts on disk, read, the storages that they go to, and versions that need packages."""

import pytest
from django.core.files.base import ContentFile

from plugins.artifact import ArtifactError, inspect_artifact
from plugins.models import Resolution
from plugins.services import upload_version
from plugins.storage import ArtifactStore
from plugins.tasks import resolve_dependencies
from tests.artifacts import plugin_zip
from tests.factories import make_plugin
from tests.plugins.storages import DATA, on_file_system, on_s3
from tests.s3 import s3_server  # noqa: F401 - a fixture
from tests.wheelhouse import LocalIndex


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


@pytest.fixture
def index(settings, tmp_path):
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "artifacts")},
    }
    settings.STORAGES = {**settings.STORAGES, "artifacts": files}
    index = LocalIndex()
    settings.INDEX_URL, settings.INDEX_FILE_HOSTS = index.url, []
    yield index
    index.stop()


@pytest.fixture
def upload(index, bob, keys_dir):
    """``upload("lib>=1")``: a version of echo that needs that, not resolved yet."""
    plugin = make_plugin("echo", owner=bob)

    def upload(*requirements, version="1.0.0", **manifest):
        data = plugin_zip(version=version, dependencies={"python": list(requirements)}, **manifest)
        return upload_version(plugin=plugin, file=ContentFile(data, name="echo.zip"), by=bob)

    return upload


@pytest.fixture
def resolve(upload):
    """The same, resolved: the version and its resolution, as they are then."""

    def resolve(*requirements, **options):
        version = upload(*requirements, **options)
        resolve_dependencies()
        version.refresh_from_db()
        return version, Resolution.objects.get(version=version)

    return resolve
