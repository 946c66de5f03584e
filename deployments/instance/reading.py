"""Reads the views an instance may read, in one REPEATABLE READ transaction: all of it is one state.

Rows carry the number of the change that made them, so only those after the last one are read.
Closed, cleared, removed and revoked rows stay as tombstones and are left out of a first read.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deployments.instance.changes import (
    CredentialRows,
    RoutingRows,
    apply_credentials,
    apply_routing,
)
from deployments.instance.facts import (
    AdmissionFact,
    Credentials,
    EnvironmentFact,
    HoldFact,
    InstallationFact,
    KeyFact,
    MemberFact,
    RouteFact,
    SealedFact,
    Snapshot,
    TenantFact,
    UserFact,
    VersionFact,
)
from hotswap.lib.errors import NotFoundError

Connection = psycopg.Connection[Any]
ALL = -1

ENVIRONMENT = (
    "SELECT id, name, generation, requires_approved_versions, credentials FROM instance_environment"
)
ROUTES = "SELECT * FROM instance_routes WHERE generation > %s"
INSTALLATIONS = "SELECT * FROM instance_installations WHERE generation > %s"
ADMISSIONS = "SELECT * FROM instance_admissions WHERE generation > %s"
OPEN_ADMISSIONS = f"{ADMISSIONS} AND closed_at IS NULL"
HOLDS = "SELECT * FROM instance_holds WHERE generation > %s"
OPEN_HOLDS = f"{HOLDS} AND cleared_at IS NULL"
SEALED = "SELECT * FROM instance_sealed_secrets WHERE generation > %s AND instance_id = %s"
VERSIONS = "SELECT * FROM instance_versions WHERE id = ANY(%s::uuid[])"
NAMES = "SELECT plugin_id, plugin FROM instance_plugins WHERE plugin_id = ANY(%s::uuid[])"
TENANTS = "SELECT * FROM instance_tenants WHERE generation > %s"
MEMBERS = "SELECT * FROM instance_members WHERE generation > %s"
CURRENT_MEMBERS = f"{MEMBERS} AND removed_at IS NULL"
USERS = "SELECT * FROM instance_users WHERE generation > %s"
KEYS = "SELECT * FROM instance_keys WHERE generation > %s"
LIVE_KEYS = f"{KEYS} AND revoked_at IS NULL AND expires_at > now()"
COUNTS = """
    SELECT (SELECT count(*) FROM instance_tenants) AS tenants,
           (SELECT count(*) FROM instance_users) AS users,
           (SELECT count(*) FROM instance_members WHERE removed_at IS NULL) AS members
"""


def read_snapshot(
    connection: Connection, name: str, instance_id: str, before: Snapshot | None
) -> Snapshot:
    """What holds now; the same object as ``before`` when nothing changed since."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = cursor.execute(ENVIRONMENT).fetchone()
        if row is None:
            raise NotFoundError(f"There is no environment {name!r}: make it, or name another one.")
        snapshot = _start(row, before)
        if row["generation"] > snapshot.generation:
            snapshot = _read_routing(cursor, snapshot, row["generation"], instance_id)
        if _credentials_moved(cursor, row["credentials"], snapshot.credentials):
            credentials = _read_credentials(cursor, snapshot.credentials, row["credentials"])
            snapshot = replace(snapshot, credentials=credentials)
    return snapshot


def _start(row: Mapping[str, Any], before: Snapshot | None) -> Snapshot:
    """From scratch when the database is behind what is known: it was put back from a copy."""
    environment = EnvironmentFact(row["id"], row["name"], row["requires_approved_versions"])
    if before is None or before.generation > row["generation"]:
        return Snapshot(environment)
    return before if before.environment == environment else replace(before, environment=environment)


def _read_routing(
    cursor: psycopg.Cursor[Any], before: Snapshot, generation: int, instance_id: str
) -> Snapshot:
    since = before.generation
    first = since == ALL
    rows = RoutingRows(
        routes=_rows(cursor, ROUTES, route_of, since),
        installations=_rows(cursor, INSTALLATIONS, installation_of, since),
        admissions=_rows(cursor, OPEN_ADMISSIONS if first else ADMISSIONS, admission_of, since),
        holds=_rows(cursor, OPEN_HOLDS if first else HOLDS, hold_of, since),
        sealed=_rows(cursor, SEALED, sealed_of, since, instance_id),
    )

    def read_versions(ids: Iterable[str]) -> Iterable[VersionFact]:
        return _rows(cursor, VERSIONS, version_of, list(ids))

    def read_names(ids: Iterable[str]) -> Mapping[str, str]:
        found = cursor.execute(NAMES, [list(ids)]).fetchall()
        return {str(row["plugin_id"]): row["plugin"] for row in found}

    shards = apply_routing(before.shards, rows, read_versions, read_names)
    return replace(before, generation=generation, shards=shards)


def _credentials_moved(cursor: psycopg.Cursor[Any], number: int, known: Credentials) -> bool:
    """A new number, or rows that were deleted outright and so left no tombstone."""
    if number != known.number:
        return True
    (row,) = cursor.execute(COUNTS).fetchall()
    return tuple(row.values()) != (len(known.tenants), len(known.users), len(known.members))


def _read_credentials(cursor: psycopg.Cursor[Any], before: Credentials, number: int) -> Credentials:
    """The changed rows; all of them when the number did not grow, because then rows are gone."""
    if number <= before.number:
        before = Credentials()
    after = _apply_changed(cursor, before, number)
    if before.number != ALL and _credentials_moved(cursor, number, after):
        after = _apply_changed(cursor, Credentials(), number)
    return after


def _apply_changed(cursor: psycopg.Cursor[Any], before: Credentials, number: int) -> Credentials:
    since = before.number
    first = since == ALL
    rows = CredentialRows(
        number=number,
        tenants=_rows(cursor, TENANTS, tenant_of, since),
        members=_rows(cursor, CURRENT_MEMBERS if first else MEMBERS, member_of, since),
        users=_rows(cursor, USERS, user_of, since),
        keys=_rows(cursor, LIVE_KEYS if first else KEYS, key_of, since),
    )
    return apply_credentials(before, rows)


def _rows(cursor: psycopg.Cursor[Any], query: str, make: Any, *arguments: Any) -> tuple[Any, ...]:
    return tuple(make(row) for row in cursor.execute(query, arguments).fetchall())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _seconds(value: datetime | None) -> float | None:
    return None if value is None else value.timestamp()


def route_of(row: Mapping[str, Any]) -> RouteFact:
    return RouteFact(
        plugin_id=str(row["plugin_id"]),
        plugin=row["plugin"],
        is_active=row["is_active"],
        is_killed=row["is_killed"],
        stable_id=_text(row["stable_id"]),
        candidate_id=_text(row["candidate_id"]),
        deployment_id=_text(row["deployment_id"]),
        candidate_spares=row["candidate_spares"],
        warm_id=_text(row["warm_id"]),
        warm_until=_seconds(row["warm_until"]),
    )


def installation_of(row: Mapping[str, Any]) -> InstallationFact:
    return InstallationFact(
        id=str(row["id"]),
        tenant_id=str(row["tenant_id"]),
        plugin_id=str(row["plugin_id"]),
        is_enabled=row["is_enabled"],
        config=row["config"],
        epoch=row["epoch"],
        pinned_version_id=_text(row["pinned_version_id"]),
        pin_expires_at=_seconds(row["pin_expires_at"]),
        requests_per_minute=row["requests_per_minute"],
        concurrency=row["concurrency"],
        has_secrets=row["has_secrets"],
    )


def admission_of(row: Mapping[str, Any]) -> AdmissionFact:
    return AdmissionFact(
        id=str(row["id"]),
        deployment_id=str(row["deployment_id"]),
        tenant_id=str(row["tenant_id"]),
        plugin_id=str(row["plugin_id"]),
        is_open=row["closed_at"] is None,
    )


def hold_of(row: Mapping[str, Any]) -> HoldFact:
    return HoldFact(
        id=str(row["id"]),
        tenant_id=str(row["tenant_id"]),
        plugin_id=str(row["plugin_id"]),
        version_id=str(row["version_id"]),
        is_open=row["cleared_at"] is None,
    )


def sealed_of(row: Mapping[str, Any]) -> SealedFact:
    return SealedFact(
        installation_id=str(row["installation_id"]),
        epoch=row["epoch"],
        public_key=row["public_key"],
        ciphertext=base64.b64encode(bytes(row["ciphertext"])).decode(),
    )


def version_of(row: Mapping[str, Any]) -> VersionFact:
    return VersionFact(
        id=str(row["id"]),
        plugin_id=str(row["plugin_id"]),
        plugin=row["plugin"],
        version=row["version"],
        status=row["status"],
        artifact_digest=row["artifact_digest"],
        manifest=row["manifest"],
        manifest_digest=row["manifest_digest"],
        lock_digest=row["lock_digest"],
        approval=row["approval"],
        approval_signature=row["approval_signature"],
        lock_packages=row["lock_packages"] or [],
        signature=row["signature"],
        publisher_key_id=row["publisher_key_id"] or "",
        publisher_key=row["publisher_key"] or "",
        is_publisher_key_revoked=row["publisher_key_revoked_at"] is not None,
    )


def tenant_of(row: Mapping[str, Any]) -> TenantFact:
    status = row["status"]
    return TenantFact(str(row["id"]), row["slug"], status == "active", status == "deleted")


def member_of(row: Mapping[str, Any]) -> MemberFact:
    tenant, current = str(row["tenant_id"]), row["removed_at"] is None
    return MemberFact(row["id"], tenant, row["user_id"], current)


def user_of(row: Mapping[str, Any]) -> UserFact:
    return UserFact(row["id"], row["is_active"], row["is_admin"], row["credential_epoch"])


def key_of(row: Mapping[str, Any]) -> KeyFact:
    return KeyFact(
        id=str(row["id"]),
        digest=row["digest"],
        tenant_id=_text(row["tenant_id"]),
        user_id=row["user_id"],
        scopes=tuple(row["scopes"]),
        expires_at=row["expires_at"].timestamp(),
        is_revoked=row["revoked_at"] is not None,
    )
