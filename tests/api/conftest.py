"""Callers of the API, and a look at what a refused request must not have changed."""

from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from hotswap.lib.issuing import issue_access_token
from observability.models import AuditEvent
from plugins.models import ApiKey, Environment, Plugin, PluginVersion, VersionDecision
from tests.artifacts import plugin_zip
from tests.factories import make_plugin

WATCHED = (Plugin, PluginVersion, VersionDecision, ApiKey, Environment, AuditEvent)


@pytest.fixture
def as_user(keys_dir):
    """``as_user(bob)``: a client that sends bob's access token; without a user, none."""

    def make(user=None):
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
        return client

    return make


@pytest.fixture
def artifacts(settings, tmp_path) -> Path:
    """The directory of the artifact storage, empty when the test starts."""
    directory = tmp_path / "artifacts"
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(directory)},
    }
    settings.STORAGES = {**settings.STORAGES, "artifacts": files}
    return directory


@pytest.fixture
def plain_static(settings):
    """Addresses of static files without the manifest that collectstatic makes."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def nothing_changes(artifacts):
    """``with nothing_changes():`` neither rows nor stored artifacts differ afterwards."""

    def look():
        rows = {model: list(model.objects.order_by("pk").values()) for model in WATCHED}
        files = sorted(str(path) for path in artifacts.rglob("*") if path.is_file())
        return rows, files

    @contextmanager
    def watch():
        before = look()
        yield
        assert look() == before

    return watch


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def upload(as_user, bob, artifacts):
    """``upload()`` sends an artifact as bob and returns the answer."""

    def send(content=None, *, by=None, plugin="echo", name="echo.zip", **extra):
        file = SimpleUploadedFile(name, plugin_zip() if content is None else content)
        address = f"/api/v1/plugins/{plugin}/versions"
        return as_user(by or bob).post(address, {"artifact": file, **extra}, format="multipart")

    return send
