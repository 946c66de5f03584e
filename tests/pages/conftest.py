import pytest

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
