"""Row-level security: the scope of a connection and the SQL that migrations install.

A connection's scope is the setting ``hotswap.scope``: ``all`` for platform staff and workers, or
the ids of tenants joined by commas. Unset means that no tenant's row exists for that connection.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.migrations.operations import RunSQL

ALL = "all"


@contextmanager
def scope(value: str) -> Iterator[None]:
    """Run the block under the scope ``value``; the one before comes back afterwards."""
    before = _current_scope()
    _set_scope(value)
    try:
        yield
    finally:
        # A broken transaction refuses statements; its rollback restores the setting by itself.
        if not connection.needs_rollback:
            _set_scope(before)


def scope_all() -> Any:
    """The scope of platform staff, workers and of looking a credential up."""
    return scope(ALL)


def scope_tenants(tenant_ids: Iterable[UUID]) -> Any:
    """The scope of somebody who may see only these tenants' rows."""
    return scope(",".join(str(tenant_id) for tenant_id in tenant_ids))


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Run the block alone among all processes that name it so; the others wait for their turn.

    PostgreSQL's advisory lock of the connection, which ends with it when the process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _current_scope() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('hotswap.scope', true), '')")
        return str(cursor.fetchone()[0])


def _set_scope(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hotswap.scope', %s, false)", [value])


def row_security(table: str, column: str = "tenant_id") -> RunSQL:
    """Migration: rows of ``table`` are visible and writable only within the connection's scope."""
    allowed = (
        "current_setting('hotswap.scope', true) = 'all' OR "
        f"{column}::text = ANY(string_to_array(current_setting('hotswap.scope', true), ','))"
    )
    return RunSQL(
        sql=[
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant_scope ON {table} USING ({allowed}) WITH CHECK ({allowed})",
        ],
        reverse_sql=[
            f"DROP POLICY tenant_scope ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ],
    )


def append_only(table: str) -> RunSQL:
    """Migration: the runtime roles may add and read rows of ``table``, never change them."""
    roles = "hotswap_web, hotswap_system"
    return RunSQL(
        sql=f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {roles}",
        reverse_sql=f"GRANT UPDATE, DELETE ON {table} TO {roles}",
    )


def grant(privileges: str, table: str, role: str) -> RunSQL:
    """Migration: ``GRANT privileges ON table TO role``."""
    return RunSQL(
        sql=f"GRANT {privileges} ON {table} TO {role}",
        reverse_sql=f"REVOKE {privileges} ON {table} FROM {role}",
    )
