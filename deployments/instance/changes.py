"""Applies changed rows to a snapshot. Shards that no row touches stay the same objects."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from deployments.instance.alarms import EVENT
from deployments.instance.facts import (
    REVOKED,
    AdmissionFact,
    Credentials,
    HoldFact,
    InstallationFact,
    KeyFact,
    MemberFact,
    RouteFact,
    SealedFact,
    Shard,
    TenantFact,
    UserFact,
    VersionFact,
)

logger = structlog.get_logger(__name__)
Row = TypeVar("Row")
ReadVersions = Callable[[Iterable[str]], Iterable[VersionFact]]
ReadNames = Callable[[Iterable[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class RoutingRows:
    """What changed in one environment since a generation; ``sealed`` are this instance's own."""

    routes: tuple[RouteFact, ...] = ()
    installations: tuple[InstallationFact, ...] = ()
    admissions: tuple[AdmissionFact, ...] = ()
    holds: tuple[HoldFact, ...] = ()
    sealed: tuple[SealedFact, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialRows:
    number: int
    tenants: tuple[TenantFact, ...] = ()
    members: tuple[MemberFact, ...] = ()
    users: tuple[UserFact, ...] = ()
    keys: tuple[KeyFact, ...] = ()


def apply_routing(
    shards: Mapping[str, Shard],
    rows: RoutingRows,
    read_versions: ReadVersions,
    read_names: ReadNames,
) -> dict[str, Shard]:
    """The new shards. Versions of touched plugins are read again: their status may have changed."""
    touched = _group(rows, shards)
    names = read_names([plugin for plugin in touched if plugin not in shards])
    changed = {
        plugin: _apply(shards.get(plugin) or Shard(plugin, names[plugin]), part)
        for plugin, part in touched.items()
        if plugin in shards or plugin in names
    }
    wanted = {version for shard in changed.values() for version in shard.referenced_versions()}
    versions = {version.id: version for version in read_versions(wanted)} if wanted else {}
    return {**shards, **{plugin: _with(shard, versions) for plugin, shard in changed.items()}}


def apply_credentials(before: Credentials, rows: CredentialRows) -> Credentials:
    """Removed members and revoked keys disappear; everybody else's row replaces the one before."""
    return Credentials(
        number=rows.number,
        tenants=_merge(before.tenants, rows.tenants, lambda row: row.id),
        members=_merge(before.members, rows.members, lambda row: row.id, lambda r: r.is_current),
        users=_merge(before.users, rows.users, lambda row: row.id),
        keys=_merge(before.keys, rows.keys, lambda row: row.digest, lambda r: not r.is_revoked),
    )


def _group(rows: RoutingRows, shards: Mapping[str, Shard]) -> dict[str, dict[str, list[Any]]]:
    """The rows by plugin. A sealed row names an installation, whose plugin is known by then."""
    grouped: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind in ("routes", "installations", "admissions", "holds"):
        for row in getattr(rows, kind):
            grouped[row.plugin_id][kind].append(row)
    owners = _plugin_by_installation(rows, shards) if rows.sealed else {}
    for sealed in rows.sealed:
        if sealed.installation_id in owners:
            grouped[owners[sealed.installation_id]]["sealed"].append(sealed)
    return grouped


def _plugin_by_installation(rows: RoutingRows, shards: Mapping[str, Shard]) -> dict[str, str]:
    known = {row.id: key for key, shard in shards.items() for row in shard.installations.values()}
    return known | {row.id: row.plugin_id for row in rows.installations}


def _apply(shard: Shard, rows: Mapping[str, list[Any]]) -> Shard:
    """``replace`` makes a new object, so nothing that the old one had cached survives in it."""
    routes = rows.get("routes", [])
    return replace(
        shard,
        name=routes[-1].plugin if routes else shard.name,
        route=routes[-1] if routes else shard.route,
        installations=_merge(
            shard.installations, rows.get("installations", ()), lambda row: row.tenant_id
        ),
        admissions=_merge(
            shard.admissions, rows.get("admissions", ()), lambda row: row.id, lambda r: r.is_open
        ),
        open_holds=_merge(
            shard.open_holds, rows.get("holds", ()), lambda row: row.id, lambda r: r.is_open
        ),
        sealed=_merge(shard.sealed, rows.get("sealed", ()), lambda row: row.installation_id),
    )


def _with(shard: Shard, versions: Mapping[str, VersionFact]) -> Shard:
    named = shard.referenced_versions()
    known = {key: _still_revoked(shard.versions.get(key), row) for key, row in versions.items()}
    return replace(shard, versions={key: known[key] for key in named if key in known})


def _still_revoked(before: VersionFact | None, after: VersionFact) -> VersionFact:
    """Nothing leads back from there: a row that says otherwise was altered."""
    if before is None or before.status != REVOKED or after.status == REVOKED:
        return after
    logger.error(EVENT, plugin=after.plugin, version=after.version, code="status_tampered")
    return replace(after, status=REVOKED)


def _merge(
    before: Mapping[Any, Row],
    rows: Iterable[Row],
    key: Callable[[Row], Any],
    keep: Callable[[Row], bool] = lambda _: True,
) -> Mapping[Any, Row]:
    """The same object when there is nothing to change."""
    rows = list(rows)
    if not rows:
        return before
    after = {**before, **{key(row): row for row in rows}}
    for row in rows:
        if not keep(row):
            del after[key(row)]
    return after
