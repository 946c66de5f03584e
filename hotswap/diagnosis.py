"""What ``./dev doctor`` looks at: each check says what it found and, when it is wrong, the fix."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from deployments.models import ACTIVE, Deployment, DeploymentCommand, Instance
from hotswap.lib.database import scope_all
from plugins.storage import ArtifactStore, StorageError
from plugins.storage.findings import State, probe
from plugins.storage.setup import examine_storage
from plugins.sweep import Problem
from plugins.sweep.nightly import last_sweep
from sandbox.engine.machine import describe_machine

FREE_BYTES = 2 << 30
OVERDUE = timedelta(seconds=60)
LIVE = timedelta(seconds=10)
SWEEP_OVERDUE = timedelta(days=3)


@dataclass(frozen=True)
class Finding:
    """``ok`` findings need no fix; every other one names it."""

    about: str
    ok: bool
    detail: str
    fix: str = ""


Check = Callable[[], Iterator[Finding]]


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which one failure explains the next."""
    for check in (_disk, _keys, _jail, _redis, _storage, _sweep):
        yield from check()
    database = list(_database())
    yield from database
    if all(finding.ok for finding in database):
        with scope_all():
            yield from _rows()


def _disk() -> Iterator[Finding]:
    home = settings.HOTSWAP_HOME
    place = home if home.exists() else home.parent
    free = shutil.disk_usage(place).free
    yield Finding(
        "disk",
        free > FREE_BYTES,
        f"{free >> 20} MiB free under {place}",
        f"free at least {FREE_BYTES >> 20} MiB, or point HOTSWAP_HOME at a larger disk",
    )


def _keys() -> Iterator[Finding]:
    directory = settings.KEYS_DIR
    if not directory.is_dir():
        yield Finding(
            "keys", False, f"{directory} does not exist", "run ./dev up, or manage.py makekeys"
        )
        return
    loose = [path.name for path in _private_keys(directory) if path.stat().st_mode & 0o077]
    yield Finding(
        "keys",
        not loose,
        f"in {directory}" + (f"; readable by others: {', '.join(loose)}" if loose else ""),
        f"chmod 600 {directory}/<file>",
    )


def _private_keys(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_file() and ".pub" not in path.name]


def _jail() -> Iterator[Finding]:
    machine = describe_machine()
    yield Finding("jail", not machine.problems, f"tier {machine.tier}", "; ".join(machine.fixes))


def _redis() -> Iterator[Finding]:
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()
    except redis.RedisError as error:
        yield Finding(
            "redis", False, str(error), "start it with ./dev up, or set HOTSWAP_REDIS_URL"
        )
    else:
        yield Finding("redis", True, "answers")


def _storage() -> Iterator[Finding]:
    """All that ``setupstorage --check`` looks at, and one object written, read and deleted."""
    backend = ArtifactStore().backend
    try:
        backend.check()
    except StorageError as error:
        yield Finding("storage", False, error.reason, error.way_out)
        return
    for found in (*examine_storage(backend, change=False), *probe(backend)):
        if found.state is not State.NOTE:
            ok = found.state is not State.WRONG
            about = found.about if found.about == "storage" else f"storage {found.about}"
            yield Finding(about, ok, found.detail, found.fix)


def _sweep() -> Iterator[Finding]:
    try:
        last = last_sweep()
    except redis.RedisError:
        return  # said already
    if last is None:
        yield Finding("storage sweep", True, "none yet: beat begins one every night")
        return
    ended = datetime.fromtimestamp(last.finished_at, UTC)
    late = ended < timezone.now() - SWEEP_OVERDUE
    wrong = last.count(Problem.MISSING) + last.count(Problem.ALTERED)
    yield Finding(
        "storage sweep",
        not (wrong or late),
        f"{last.objects} objects on {ended:%Y-%m-%d}, {wrong} missing or altered",
        "run manage.py verifyartifacts"
        + (", and see that a worker and beat are running" if late else " --restore"),
    )


def _database() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles "
                "WHERE rolname = current_user"
            )
            role, bypasses = cursor.fetchone()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(
            "database",
            False,
            str(error).strip(),
            "start it with ./dev up, or set HOTSWAP_DATABASE_URL",
        )
        return
    yield Finding(
        "database role",
        not bypasses,
        f"{role}",
        "connect as a role without SUPERUSER and BYPASSRLS",
    )
    yield Finding(
        "migrations",
        not missing,
        f"{len(missing)} to apply",
        "run manage.py migrate as hotswap_owner",
    )


def _rows() -> Iterator[Finding]:
    late = timezone.now() - OVERDUE
    stuck = Deployment.objects.filter(status__in=ACTIVE, wake_at__lt=late).count()
    yield Finding(
        "deployments", not stuck, f"{stuck} overdue", "see that a worker and beat are running"
    )
    commands = DeploymentCommand.objects.filter(
        applied_at__isnull=True, created_at__lt=late
    ).count()
    yield Finding(
        "commands", not commands, f"{commands} unapplied", "see that a worker and beat are running"
    )
    live = Instance.objects.filter(
        stopped_at__isnull=True, heartbeat_at__gt=timezone.now() - LIVE
    ).count()
    lost = Instance.objects.filter(stopped_at__isnull=True).count() - live
    yield Finding(
        "instances",
        not lost,
        f"{live} live, {lost} lost",
        "restart the lost ones, see .hotswap/logs",
    )
