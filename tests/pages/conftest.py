import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from plugins.rules import give_plugin
from tests.factories import make_deployment, make_plugin, make_route, make_version
from tests.plain_static import plain_static_files  # noqa: F401


@pytest.fixture
def signed_in(client):
    """``signed_in(bob)``: the test client with bob's session."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def stable(echo):
    """echo 1.0.0, stable in qa."""
    version = make_version(echo, "1.0.0")
    make_route(echo, stable=version)
    return version


@pytest.fixture
def deployment(echo, stable, bob):
    """echo 1.1.0 on its way to qa, requested by bob."""
    return make_deployment(make_version(echo, "1.1.0"), incumbent=stable, by=bob)


@pytest.fixture
def artifacts(settings, tmp_path):
    """An empty storage of the test's own."""
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "artifacts")},
    }
    settings.STORAGES = {**settings.STORAGES, "artifacts": files}


@pytest.fixture
def upload(signed_in, bob, echo, artifacts, keys_dir):
    """``upload(content)``: the answer to bob's sending it as a version of echo."""
    give_plugin(bob, echo)

    def send(content, by=bob):
        file = SimpleUploadedFile("echo.zip", content)
        return signed_in(by).post("/plugins/echo/upload/", {"artifact": file}, follow=True)

    return send
