"""The database itself keeps tenants apart, whatever a query forgets to say."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql
from psycopg_pool import ConnectionPool

from deployments.models import Admission, Hold, SealedSecret
from hotswap.lib.pool import clear_scope
from observability.audit import record_event
from observability.models import TenantHour
from tenants.models import TenantDataKey, TenantSecret
from tests.factories import (
    environment,
    make_api_key,
    make_deployment,
    make_installation,
    make_instance,
    make_plugin,
    make_tenant,
    make_version,
)

OWNED = {
    "tenants": "id",
    **dict.fromkeys(
        (
            *("tenant_members", "tenant_plugin_configs", "tenant_data_keys", "tenant_secrets"),
            *("admissions", "holds", "sealed_secrets", "api_keys", "audit_events"),
            "tenant_hours",
        ),
        "tenant_id",
    ),
}
APPEND_ONLY = {"audit_events"}


def _own_everything(tenant, version, deployment, instance):
    """A row of the tenant in every table that has tenants' rows."""
    installation = make_installation(tenant, version.plugin)
    TenantDataKey.objects.create(tenant=tenant, wrapped=b"w", key_id="k")
    TenantSecret.objects.create(
        tenant=tenant, installation=installation, key="hmac_key", ciphertext=b"c"
    )
    Admission.objects.create(deployment=deployment, tenant=tenant, step=0)
    place = {"plugin": version.plugin, "environment": environment()}
    Hold.objects.create(tenant=tenant, version=version, reason="r", **place)
    SealedSecret.objects.create(
        instance=instance, tenant=tenant, installation=installation, epoch=1, ciphertext=b"c"
    )
    make_api_key(tenant=tenant)
    TenantHour.objects.create(
        tenant_id=tenant.pk,
        environment="qa",
        plugin_id=version.plugin_id,
        version_id=version.pk,
        hour=timezone.now(),
        calls=1,
        failures=0,
    )
    record_event(actor="a", action="b", object_type="c", object_id="d", tenant_id=tenant.pk)


@pytest.fixture
def owners(transactional_db, alice, mallory):
    """acme and globex, each with a row in every table."""
    version = make_version(make_plugin())
    deployment, instance = make_deployment(version), make_instance()
    found = [make_tenant("acme", owner=alice), make_tenant("globex", owner=mallory)]
    for tenant in found:
        _own_everything(tenant, version, deployment, instance)
    return found


@pytest.fixture
def web(connect_as):
    """The web's role, under the scope that is asked for."""
    connected = connect_as("web")

    def under(scope):
        connected.execute("SELECT set_config('hotswap.scope', %s, false)", [scope])
        return connected

    return under


def _count(connected, table, tenant):
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s")
    place = query.format(sql.Identifier(table), sql.Identifier(OWNED[table]))
    return connected.execute(place, [tenant.pk]).fetchone()[0]


def test_every_table_with_a_tenant_is_under_forced_security(connect_as):
    rows = connect_as("superuser").execute(
        """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c
        WHERE c.relkind = 'r' AND (c.relname = 'tenants' OR EXISTS (
            SELECT FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
        """
    )
    found = dict(rows.fetchall())
    assert set(found) == set(OWNED)
    assert all(found.values()), found


def test_no_role_of_ours_can_bypass_it(connect_as):
    rows = connect_as("superuser").execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hotswap%' AND (rolsuper OR rolbypassrls)"
    )
    assert rows.fetchall() == []


@pytest.mark.parametrize("table", OWNED)
def test_within_acmes_scope_globexs_rows_do_not_exist(owners, web, table):
    acme, globex = owners
    connected = web(str(acme.pk))
    assert _count(connected, table, acme) > 0
    assert _count(connected, table, globex) == 0


@pytest.mark.parametrize("scope", ["", "nobody", "00000000-0000-0000-0000-000000000000"])
def test_without_a_scope_there_are_no_rows(owners, web, scope):
    connected = web(scope)
    assert [_count(connected, table, tenant) for table in OWNED for tenant in owners] == [0] * (
        2 * len(OWNED)
    )


def test_a_connection_that_never_had_a_scope_sees_nothing(owners, connect_as):
    connected = connect_as("web")
    assert all(_count(connected, table, owners[0]) == 0 for table in OWNED)


@pytest.mark.parametrize("table", sorted(set(OWNED) - APPEND_ONLY))
def test_within_acmes_scope_globexs_rows_cannot_be_changed_or_removed(owners, web, table):
    acme, globex = owners
    name, column = sql.Identifier(table), sql.Identifier(OWNED[table])
    connected = web(str(acme.pk))
    update = sql.SQL("UPDATE {0} SET {1} = {1} WHERE {1} = %s").format(name, column)
    assert connected.execute(update, [globex.pk]).rowcount == 0
    delete = sql.SQL("DELETE FROM {} WHERE {} = %s").format(name, column)
    assert connected.execute(delete, [globex.pk]).rowcount == 0
    assert _count(web("all"), table, globex) > 0


@pytest.mark.parametrize("table", sorted(set(OWNED) - APPEND_ONLY - {"tenants"}))
def test_within_acmes_scope_no_row_can_be_given_to_globex(owners, web, table):
    acme, globex = owners
    steal = sql.SQL("UPDATE {} SET tenant_id = %s WHERE tenant_id = %s")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web(str(acme.pk)).execute(steal.format(sql.Identifier(table)), [globex.pk, acme.pk])


def test_within_acmes_scope_no_row_can_be_made_for_globex(owners, web):
    acme, globex = owners
    insert = (
        "INSERT INTO tenant_members (tenant_id, user_id, role, added_at, generation) "
        "VALUES (%s, (SELECT id FROM auth_user WHERE username = 'alice'), 'owner', now(), 0)"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web(str(acme.pk)).execute(insert, [globex.pk])


def test_no_tenant_can_be_made_within_a_tenants_scope(owners, web):
    insert = (
        "INSERT INTO tenants (id, slug, name, home_environment_id, status, created_at, generation) "
        "VALUES (%s, 'initech', 'Initech', 1, 'active', now(), 0)"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web(str(owners[0].pk)).execute(insert, [uuid4()])


def test_audit_events_can_be_neither_changed_nor_removed(owners, web):
    for statement in ("UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web("all").execute(statement)


def _scope_of_the_connection():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('hotswap.scope', true), '')")
        return cursor.fetchone()[0]


@pytest.mark.no_scope
@pytest.mark.parametrize("credential", ["token", "session", "refused"])
def test_the_scope_is_gone_after_a_request(db, as_user, ada, credential):
    client = as_user(ada if credential == "token" else None)
    if credential == "session":
        client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/api/v1/tenants")
    assert answer.status_code == (401 if credential == "refused" else 200)
    assert _scope_of_the_connection() == ""


@pytest.mark.no_scope
def test_the_scope_is_gone_after_a_request_that_failed(db, as_user, ada, monkeypatch):
    def fail(**_):
        raise RuntimeError("broken")

    monkeypatch.setattr("tenants.services.create_tenant", fail)
    body = {"slug": "initech", "name": "Initech", "home_environment": "qa"}
    client = as_user(ada)
    client.raise_request_exception = False
    assert client.post("/api/v1/tenants", body).status_code == 500
    assert _scope_of_the_connection() == ""


def test_a_pooled_connection_comes_back_without_a_scope(owners, database_urls):
    with ConnectionPool(database_urls["web"], min_size=1, max_size=1, reset=clear_scope) as pool:
        with pool.connection() as first:
            first.execute("SELECT set_config('hotswap.scope', 'all', false)")
            assert _count(first, "tenants", owners[0]) == 1
        with pool.connection() as second:
            assert second is first
            assert _count(second, "tenants", owners[0]) == 0


def test_a_members_scope_ends_with_the_membership(as_user, alice, acme):
    acme.members.update(removed_at=timezone.now() - timedelta(seconds=1))
    assert as_user(alice).get("/api/v1/tenants/acme").status_code == 404
