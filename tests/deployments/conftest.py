"""A plugin with two versions and five tenants, and what to do with them."""

import pytest

from deployments.services import start_deployment
from tests.factories import (
    environment,
    make_installation,
    make_plugin,
    make_route,
    make_tenant,
    make_version,
)


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def v1(echo):
    return make_version(echo, "1.0.0")


@pytest.fixture
def v2(echo):
    return make_version(echo, "2.0.0")


@pytest.fixture
def v1_is_stable(v1):
    return make_route(v1.plugin, stable=v1)


@pytest.fixture
def tenants(echo):
    made = [make_tenant(f"tenant-{number}") for number in range(5)]
    for tenant in made:
        make_installation(tenant, echo)
    return made


@pytest.fixture
def deploy(bob):
    """``deploy(version)``: requested by bob, with a short bake."""

    def start(version, *, by=bob, env="qa", if_active="reject", **options):
        return start_deployment(
            plugin=version.plugin,
            environment=environment(env),
            candidate=version,
            by=by,
            options={"bake_seconds": 3} | options,
            if_active=if_active,
        )

    return start
