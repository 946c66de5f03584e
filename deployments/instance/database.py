"""An instance's connection to PostgreSQL. Blocking: only a thread of its own uses it, no call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from psycopg.types.json import Jsonb

from deployments.instance.alarms import AlarmRow
from deployments.instance.facts import Snapshot
from deployments.instance.reading import read_snapshot
from deployments.instance.windows import Window

STATEMENT_MILLISECONDS = 5000
CONNECT_SECONDS = 3
LIVE_SECONDS = 10
SETTINGS = "-c hotswap.scope=all -c hotswap.environment={environment} -c statement_timeout={limit}"

REGISTER = """
    INSERT INTO instances (id, environment_id, name, boot, public_address, internal_address,
                           public_key, is_ready, is_cordoned, acked_generation, acked_credentials,
                           started_at, heartbeat_at, stopped_at)
    SELECT %(id)s, e.id, %(name)s, %(boot)s, %(public_address)s, %(internal_address)s,
           %(public_key)s, %(is_ready)s, false, %(generation)s, %(credentials)s,
           %(started_at)s, now(), %(stopped_at)s
    FROM instance_environment e
    ON CONFLICT (environment_id, name) DO UPDATE
    SET boot = excluded.boot, public_address = excluded.public_address,
        internal_address = excluded.internal_address, public_key = excluded.public_key,
        is_ready = excluded.is_ready, acked_generation = excluded.acked_generation,
        acked_credentials = excluded.acked_credentials, started_at = excluded.started_at,
        heartbeat_at = now(), stopped_at = excluded.stopped_at
    RETURNING id
"""
FORGET_EARLIER_BOOTS = "DELETE FROM placements WHERE instance_id = %s AND boot <> %s"
FORGET_PLACEMENT = "DELETE FROM placements WHERE instance_id = %s AND version_id = %s"
PLACE = """
    INSERT INTO placements (instance_id, version_id, boot, state, detail, load_seconds,
                            attestation, probe, processes, spares, updated_at)
    SELECT %(instance_id)s, id, %(boot)s, %(state)s, %(detail)s, %(load_seconds)s,
           %(attestation)s, %(probe)s, %(processes)s, %(spares)s, now()
    FROM instance_versions WHERE id = %(version_id)s
    ON CONFLICT (instance_id, version_id) DO UPDATE
    SET boot = excluded.boot, state = excluded.state, detail = excluded.detail,
        load_seconds = excluded.load_seconds, attestation = excluded.attestation,
        probe = excluded.probe, processes = excluded.processes, spares = excluded.spares,
        updated_at = excluded.updated_at
"""
ALARM = """
    INSERT INTO integrity_alarms (instance_id, version_id, boot, code, detail, times, first_at,
                                  last_at)
    SELECT %(instance_id)s, id, %(boot)s, %(code)s, %(detail)s, %(times)s, now(), now()
    FROM instance_versions WHERE id = %(version_id)s
    ON CONFLICT (instance_id, boot, version_id, code) DO UPDATE
    SET detail = excluded.detail, times = excluded.times, last_at = excluded.last_at
"""
PEERS = """
    SELECT i.id, i.name, i.internal_address, i.public_key, i.is_ready,
           coalesce(array_agg(p.version_id::text) FILTER (WHERE p.state = 'ready'), '{}') AS ready
    FROM instances i JOIN instance_environment e ON e.id = i.environment_id
    LEFT JOIN placements p ON p.instance_id = i.id AND p.boot = i.boot
    WHERE i.stopped_at IS NULL AND NOT i.is_cordoned
      AND i.heartbeat_at > now() - make_interval(secs => %s)
    GROUP BY i.id
"""
ADD_WINDOW = """
    INSERT INTO call_windows (instance, boot, environment, plugin_id, version_id, second, calls,
                              failures, outcomes, latencies, tenants)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """A version here, as reported. Compared with what was reported last to see what is new."""

    version_id: str
    state: str
    detail: str = ""
    load_seconds: float | None = None
    attestation: Mapping[str, Any] | None = None
    probe: Mapping[str, Any] | None = None
    processes: int = 0
    spares: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """An instance's own row and the placements that changed, written in one transaction.

    So an acknowledged generation never stands beside a placement from before it.
    """

    id: str
    name: str
    boot: str
    public_address: str
    internal_address: str
    public_key: str
    is_ready: bool
    generation: int
    credentials: int
    started_at: datetime
    stopped_at: datetime | None
    changed: tuple[PlacementRow, ...] = ()
    gone: tuple[str, ...] = ()
    alarms: tuple[AlarmRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another live instance of the environment, from its last heartbeat."""

    id: str
    name: str
    address: str
    public_key: str
    is_ready: bool
    versions: frozenset[str]


class Database:
    """Connects when first needed and again after every error, which the caller gets to see."""

    def __init__(self, parameters: Mapping[str, Any], environment: str) -> None:
        self._parameters = dict(parameters)
        self._environment = environment
        self._connection: psycopg.Connection[Any] | None = None
        self.connections = 0

    def read(self, instance_id: str, before: Snapshot | None) -> Snapshot:
        return self._try(lambda c: read_snapshot(c, self._environment, instance_id, before))

    def report(self, report: Report) -> str:
        """Write it; the id under which the database knows this instance."""
        return self._try(lambda connection: _write_report(connection, report))

    def peers(self) -> tuple[Peer, ...]:
        return self._try(_read_peers)

    def add_windows(self, instance: str, boot: str, windows: Sequence[Window]) -> None:
        rows = [_window_row(instance, boot, self._environment, window) for window in windows]
        self._try(lambda connection: _add_all(connection, rows))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try(self, act: Callable[[psycopg.Connection[Any]], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
            return act(self._connection)
        except BaseException:
            # Whatever went wrong, a new connection starts without it.
            self.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        options = SETTINGS.format(environment=self._environment, limit=STATEMENT_MILLISECONDS)
        settings = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": 5000}
        name = {"application_name": "hotswap instance"}
        connection = psycopg.connect(
            **self._parameters | settings | name | {"options": options}, autocommit=True
        )
        self.connections += 1
        return connection


def _write_report(connection: psycopg.Connection[Any], report: Report) -> str:
    with connection.transaction(), connection.cursor() as cursor:
        fields = {name: getattr(report, name) for name in report.__slots__}
        row = cursor.execute(REGISTER, fields).fetchone()
        if row is None:
            raise LookupError("the environment does not exist")
        instance_id = str(row[0])
        cursor.execute(FORGET_EARLIER_BOOTS, [instance_id, report.boot])
        for version_id in report.gone:
            cursor.execute(FORGET_PLACEMENT, [instance_id, version_id])
        for placement in report.changed:
            cursor.execute(PLACE, _placement_fields(placement, instance_id, report.boot))
        for alarm in report.alarms:
            cursor.execute(ALARM, _alarm_fields(alarm, instance_id, report.boot))
    return instance_id


def _alarm_fields(row: AlarmRow, instance_id: str, boot: str) -> dict[str, Any]:
    return {
        "instance_id": instance_id,
        "version_id": row.version_id,
        "boot": boot,
        "code": row.code,
        "detail": _storable(row.detail),
        "times": row.times,
    }


def _storable(text: str) -> str:
    return text[:500].replace("\x00", "")


def _placement_fields(row: PlacementRow, instance_id: str, boot: str) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in row.__slots__}
    fields["detail"] = _storable(row.detail)
    for name in ("attestation", "probe"):
        fields[name] = None if fields[name] is None else Jsonb(fields[name])
    return fields | {"instance_id": instance_id, "boot": boot}


def _read_peers(connection: psycopg.Connection[Any]) -> tuple[Peer, ...]:
    rows = connection.execute(PEERS, [LIVE_SECONDS]).fetchall()
    return tuple(
        Peer(str(pk), name, address, key, ready, frozenset(versions))
        for pk, name, address, key, ready, versions in rows
    )


def _add_all(connection: psycopg.Connection[Any], rows: Iterable[Sequence[Any]]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(ADD_WINDOW, rows)


def _window_row(instance: str, boot: str, environment: str, window: Window) -> list[Any]:
    return [
        *(instance, boot, environment, window.plugin_id, window.version_id, window.at),
        *(window.calls, window.failures, Jsonb(window.outcomes)),
        Jsonb({str(bucket): count for bucket, count in window.latencies.items()}),
        Jsonb(window.tenants),
    ]


def utc_now() -> datetime:
    return datetime.now(UTC)
