"""The process that owns a test run's PostgreSQL: ``python -m tests.keeper RUN CONTROLLER``.

It makes the migrated template database (kept between runs under ``.cache/``), and ends with the
controller.
"""

import fcntl
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from hotswap.embedded.postgres import DISPOSABLE, Postgres
from hotswap.embedded.roles import apply_roles

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = REPOSITORY / ".cache" / "test-postgres"
TEMPLATE = "hotswap_template"
KEPT_TEMPLATES = 3
# Whatever decides what `migrate` leaves behind.
SOURCES = (
    "*/migrations/*.py",
    "*/models*.py",
    "*/models/*.py",
    "*/apps.py",
    "*/roles.py",
    "hotswap/lib/*.py",
    "hotswap/settings.py",
    "hotswap/embedded/postgres*.py",
    "deploy/roles.sql",
    "requirements.txt",
)


def main(run: Path, controller: int) -> None:
    """Serve until ``controller`` is gone or SIGTERM comes; leave ``run/ready`` or ``run/failed``
    for those who wait.
    """
    signal.signal(signal.SIGTERM, _leave)
    postgres = Postgres(run / "postgres", run / "postgres.log", DISPOSABLE)
    try:
        prepare(postgres)
        (run / "ready").touch()
        select.select([os.pidfd_open(controller)], [], [])
    except SystemExit:
        pass  # the run is over
    except BaseException:
        (run / "failed").touch()
        raise
    finally:
        postgres.stop()
    shutil.rmtree(run, ignore_errors=True)
    shutil.rmtree(run.with_name(f"{run.name}-layers"), ignore_errors=True)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def prepare(postgres: Postgres) -> None:
    """Start ``postgres`` on a copy of the cached cluster, or make that first."""
    cached = CACHE / template_key(postgres)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cached.exists():
            os.utime(cached)
        else:
            _make_template(postgres, cached)
        shutil.rmtree(postgres.data, ignore_errors=True)
        shutil.copytree(cached, postgres.data, symlinks=True)
        _forget_old_templates()
    postgres.start()


def template_key(postgres: Postgres) -> str:
    """Changes with anything that could change the migrated database."""
    digest = hashlib.sha256(os.fsencode(postgres.binaries))
    for path in sorted({path for pattern in SOURCES for path in REPOSITORY.glob(pattern)}):
        digest.update(os.fsencode(path.relative_to(REPOSITORY)))
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def _make_template(postgres: Postgres, cached: Path) -> None:
    postgres.start()
    apply_roles(postgres, TEMPLATE)
    environment = {**os.environ, "HOTSWAP_DATABASE_URL": postgres.url("hotswap_owner", TEMPLATE)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity=0"],
        cwd=REPOSITORY,
        env=environment,
        check=True,
    )
    with psycopg.connect(postgres.url(database="postgres"), autocommit=True) as connection:
        connection.execute(
            f"ALTER DATABASE {TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"
        )
    postgres.stop()
    fresh = cached.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(postgres.data, fresh, symlinks=True)
    fresh.rename(cached)


def _forget_old_templates() -> None:
    clusters = sorted(
        (path for path in CACHE.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for old in clusters[:-KEPT_TEMPLATES]:
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
