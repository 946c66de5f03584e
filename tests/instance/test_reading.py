"""What an instance reads of the rows, as its own role, incrementally."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.instance.reading import read_snapshot
from deployments.models import Admission, Hold
from hotswap.lib.errors import NotFoundError
from plugins.generation import credential_change, routable_change
from plugins.models import ApiKey, PluginVersion
from tenants.models import TenantMember
from tests.factories import (
    environment,
    make_api_key,
    make_deployment,
    make_installation,
    make_plugin,
    make_route,
    make_tenant,
    make_user,
    make_version,
)


@pytest.fixture
def world(transactional_db, platform_scope):
    """acme has echo, 1.0.0 is stable; nothing was numbered yet."""

    class World:
        plugin = make_plugin("echo")
        old, new = make_version(plugin, "1.0.0"), make_version(plugin, "1.1.0")
        alice = make_user("alice")
        acme = make_tenant("acme", owner=alice)
        installation = make_installation(acme, plugin, config={"rate": 1})
        route = make_route(plugin, stable=old)

    return World


@pytest.fixture
def read(connect_as):
    connection = connect_as("instance")
    connection.execute("SELECT set_config('hotswap.scope', 'all', false)")
    connection.execute("SELECT set_config('hotswap.environment', 'qa', false)")

    def read(before=None):
        return read_snapshot(connection, "qa", "00000000-0000-0000-0000-000000000000", before)

    return read


def change(world, **fields):
    with routable_change(environment()) as changed:
        for name, value in fields.items():
            setattr(world.route, name, value)
        world.route.save()
        changed.touch(world.route)
    return changed.number


def test_the_first_read_has_everything(world, read):
    found = read()
    shard = found.shard_by_name["echo"]
    acme = str(world.acme.pk)
    assert shard.stable_id == str(world.old.pk)
    assert set(shard.versions) == {str(world.old.pk)}
    assert shard.installations[acme].config == {"rate": 1}
    assert found.credentials.tenant_by_slug["acme"].id == acme
    assert found.credentials.tenants_of_user[world.alice.pk] == {acme}


def test_nothing_new_is_the_same_snapshot(world, read):
    before = read()
    assert read(before) is before


def test_a_change_is_read_with_the_versions_that_it_names(world, read):
    before = read()
    deployment = make_deployment(world.new, incumbent=world.old)
    number = change(world, candidate=world.new, deployment=deployment)
    after = read(before)
    assert after.generation == number
    assert set(after.shards[str(world.plugin.pk)].versions) == {
        str(world.old.pk),
        str(world.new.pk),
    }
    assert after.credentials is before.credentials


def test_a_changed_status_arrives_with_the_route(world, read):
    before = read()
    PluginVersion.objects.filter(pk=world.old.pk).update(status="revoked")
    change(world)
    shard = read(before).shards[str(world.plugin.pk)]
    assert shard.versions[str(world.old.pk)].status == "revoked"


def test_admissions_and_holds_come_and_go(world, read):
    deployment = make_deployment(world.new, incumbent=world.old)
    change(world, candidate=world.new, deployment=deployment)
    with routable_change(environment()) as changed:
        admission = Admission.objects.create(deployment=deployment, tenant=world.acme, step=1)
        hold = Hold.objects.create(
            tenant=world.acme,
            plugin=world.plugin,
            environment=environment(),
            version=world.old,
            reason="a test",
        )
        changed.touch(admission, hold)
    opened = read()
    shard = opened.shards[str(world.plugin.pk)]
    assert shard.admitted == {str(world.acme.pk)}
    assert shard.holds == {str(world.acme.pk): str(world.old.pk)}
    with routable_change(environment()) as changed:
        Admission.objects.update(closed_at=timezone.now())
        Hold.objects.update(cleared_at=timezone.now())
        changed.touch(admission, hold)
    for found in (read(opened), read()):
        shard = found.shards[str(world.plugin.pk)]
        assert (shard.admitted, shard.holds) == (frozenset(), {})


def test_credentials_are_read_apart_from_routing(world, read):
    before = read()
    row, _ = make_api_key(tenant=world.acme)
    with credential_change() as changed:
        changed.touch(row)
    after = read(before)
    assert set(after.credentials.keys) == {row.digest}
    assert after.shards is before.shards
    with credential_change() as changed:
        ApiKey.objects.update(revoked_at=timezone.now())
        changed.touch(row)
    assert read(after).credentials.keys == {}


def test_keys_that_are_over_are_not_read_at_first(world, read):
    row, _ = make_api_key(tenant=world.acme)
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert read().credentials.keys == {}


def test_rows_deleted_without_a_trace_are_noticed(world, read):
    before = read()
    TenantMember.objects.all().delete()
    assert read(before).credentials.members == {}


def test_a_database_put_back_from_a_copy_is_believed(world, read):
    number = change(world)
    ahead = read()
    ahead = type(ahead)(ahead.environment, number + 5, {}, ahead.credentials)
    assert read(ahead).generation == number
    assert "echo" in read(ahead).shard_by_name


def test_another_environment_is_another_world(world, read, connect_as):
    change(world)
    staging = connect_as("instance")
    staging.execute("SELECT set_config('hotswap.scope', 'all', false)")
    staging.execute("SELECT set_config('hotswap.environment', 'staging', false)")
    found = read_snapshot(staging, "staging", "00000000-0000-0000-0000-000000000000", None)
    assert found.shards == {}
    staging.execute("SELECT set_config('hotswap.environment', 'nowhere', false)")
    with pytest.raises(NotFoundError, match="nowhere"):
        read_snapshot(staging, "nowhere", "00000000-0000-0000-0000-000000000000", None)
