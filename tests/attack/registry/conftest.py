"""Uploads by a Developer over the real API, and a look at everything that they must not leave."""

import tempfile
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from observability.models import AuditEvent
from tests.factories import make_plugin


@pytest.fixture
def artifacts(settings, tmp_path):
    """The directory of the artifact storage, empty when the test starts."""
    directory = tmp_path / "artifacts"
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(directory)},
    }
    settings.STORAGES = {**settings.STORAGES, "artifacts": files}
    return directory


@pytest.fixture
def spool(settings, tmp_path, monkeypatch):
    """The directory of temporary files, empty; every upload goes over the disk."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    return directory


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def upload(as_user, bob, artifacts, spool):
    """``upload(content)`` sends an artifact as bob and returns the answer."""
    client = as_user(bob)
    # An unhandled exception is to be seen as its caller sees it.
    client.raise_request_exception = False

    def send(content, *, name="echo.zip", plugin="echo", **extra):
        sent = {"artifact": SimpleUploadedFile(name, content), **extra}
        return client.post(f"/api/v1/plugins/{plugin}/versions", sent, format="multipart")

    return send


@pytest.fixture
def remains(artifacts, spool):
    """Everything an upload may leave: rows of the registry, audit, stored and temporary files."""

    def look():
        models = [*apps.get_app_config("plugins").get_models(), AuditEvent]
        rows = {model: list(model.objects.order_by("pk").values()) for model in models}
        files = [path for directory in (artifacts, spool) for path in directory.rglob("*")]
        return rows, sorted(str(path) for path in files if not path.is_dir())

    return look


@pytest.fixture
def nothing_changes(remains):
    @contextmanager
    def watch():
        before = remains()
        yield
        assert remains() == before

    return watch


@pytest.fixture
def refused(echo, upload, nothing_changes):
    """``refused(attack)``: uploads it; the refusal is the documented one, and nothing is left."""

    def send(attack):
        with nothing_changes():
            answer = upload(attack.content, name=attack.name)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (attack.status, attack.code), error
        fields = error.get("fields", {})
        told = " ".join([error["message"], *fields, *(text for f in fields.values() for text in f)])
        assert [words for words in attack.says if words not in told] == [], error
        return error

    return send
