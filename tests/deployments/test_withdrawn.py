"""Deprecated, yanked, revoked: what may begin, what goes on, and what nothing goes back to."""

import pytest

from deployments.models import Status
from deployments.services import plan_deployment, request_command, rollback_deployment
from hotswap.lib.errors import ConflictError
from plugins.services import revoke_version
from tests.deployments.worlds import World, events_of, fresh, route_of
from tests.factories import environment, make_deployment

pytestmark = pytest.mark.django_db


def withdraw(version, status, reason=""):
    version.status, version.status_reason = status, reason
    version.save(update_fields=["status", "status_reason"])


@pytest.mark.parametrize("status", ["yanked", "revoked"])
def test_a_withdrawn_version_is_refused_with_its_reason(v1_is_stable, v2, deploy, status):
    withdraw(v2, status, "it loses cents")

    with pytest.raises(ConflictError, match=rf"2\.0\.0 is {status} \(it loses cents\)") as caught:
        deploy(v2)
    assert caught.value.code == f"version_{status}"


def test_a_deprecated_version_is_deployed_with_a_warning(v1_is_stable, v2, deploy):
    withdraw(v2, "deprecated", "use 3.0.0")

    preview = plan_deployment(plugin=v2.plugin, environment=environment(), candidate=v2)
    deployment = deploy(v2)

    assert "echo 2.0.0 is deprecated (use 3.0.0)" in preview.warnings
    event = deployment.events.get(kind="warning")
    assert event.message == "echo 2.0.0 is deprecated (use 3.0.0)"


def test_a_rollback_never_goes_back_to_a_revoked_version(v1, v2, bob, carol):
    done = make_deployment(v2, incumbent=v1, status=Status.COMPLETED)
    revoke_version(version=v1, by=carol, comment="leaks")
    route = v1.plugin.routes.create(environment=environment(), stable=v2)

    with pytest.raises(ConflictError) as caught:
        rollback_deployment(deployment=done, by=bob)

    assert caught.value.code == "version_revoked"
    route.refresh_from_db()
    assert route.stable == v2


def test_asking_a_running_deployment_to_go_back_to_a_revoked_version_is_refused(
    v1, v1_is_stable, v2, tenants, deploy, bob, carol
):
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    revoke_version(version=v1, by=carol, comment="leaks")

    with pytest.raises(ConflictError, match=r"1\.0\.0 is revoked \(leaks\)") as caught:
        request_command(deployment=fresh(deployment), kind="rollback", by=bob)

    assert caught.value.code == "version_revoked"
    world.run(deployment)
    assert deployment.status == Status.COMPLETED
    assert route_of(v1.plugin).stable == v2


def test_a_candidate_that_is_revoked_leaves_at_once(v1_is_stable, v1, v2, tenants, deploy, carol):
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    revoke_version(version=v2, by=carol)

    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert "2.0.0 is revoked" in deployment.reason
    assert route_of(v1.plugin).stable == v1


def test_a_rollback_does_not_wait_for_a_revoked_incumbent(
    v1_is_stable, v1, v2, tenants, deploy, carol
):
    """Both are gone: the deployment ends, and calls are told that the version is revoked."""
    world = World("i-1")
    deployment = world.run_to(deploy(v2), "hold")
    v1.placements.all().delete()
    world.follow = lambda: None
    revoke_version(version=v1, by=carol)
    revoke_version(version=v2, by=carol)

    world.run(deployment)

    assert deployment.status == Status.ROLLED_BACK
    assert "going_back" in events_of(deployment)
