"""A real PostgreSQL of its own, on a Unix socket only, started from the binaries of a wheel or of
Debian.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.postgres_binaries import as_ordinary_user, find_postgres
from hotswap.embedded.processes import end, spawn, tail
from hotswap.embedded.sockets import leave_directory, private_directory, short_path

SUPERUSER = "postgres"
START_SECONDS = 60
STOP_SECONDS = 30
# For data that is thrown away: nothing is written twice and nobody waits for the disk.
DISPOSABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server: its cluster in ``directory/data``, its socket in ``directory/run`` (or what
    stands for it).

    Whoever may enter the socket's directory is trusted, so the directory has mode 0700.
    """

    def __init__(
        self, directory: Path, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = directory / "data"
        self.run = short_path(directory / "run")
        self.log = log
        self.settings = {**_SETTINGS, **(settings or {})}
        self.binaries = find_postgres()
        self.name = "postgres"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, role: str = SUPERUSER, database: str = "hotswap") -> str:
        """The connection URL for ``role``, good for libpq and for HOTSWAP_DATABASE_URL."""
        return f"postgres://{role}@/{database}?host={quote(str(self.run))}"

    def start(self) -> None:
        """Start on the cluster, made if there is none, and wait until it answers."""
        private_directory(self.data.parent)
        private_directory(self.run)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._end_leftover()
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._launch(deadline)
            if self.answers():
                return
            # After kill -9 of the postmaster its children hold the shared memory for a moment
            # longer.
            if time.monotonic() > deadline or "is still in use" not in tail(self.log, 4):
                raise EmbeddedError(
                    f"PostgreSQL did not start. Its log {self.log} ends:\n{tail(self.log)}"
                )
            time.sleep(0.2)

    def answers(self) -> bool:
        """Whether it accepts connections."""
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(self.url(database="postgres"), connect_timeout=2),
        ):
            return True
        return False

    def request_stop(self) -> None:
        """Begin the fast shutdown without waiting for its end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Fast shutdown: connections are closed, data is flushed; a second call does nothing."""
        if self.process is not None:
            end(self.process, seconds=STOP_SECONDS, by=signal.SIGINT)
            self.process = None
            leave_directory(self.run)

    def psql(
        self,
        script: Path,
        *,
        database: str = "postgres",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Run ``script`` as the superuser; it stops at the first error."""
        assignments = [f"--set={name}={value}" for name, value in (variables or {}).items()]
        self._run(
            [
                str(self.binaries / "psql"),
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                *assignments,
                f"--file={script}",
                f"--dbname={self.url(database=database)}",
            ]
        )

    def _make_cluster(self) -> None:
        """initdb beside the final place, then rename: a kill -9 in the middle leaves no half
        cluster.
        """
        fresh = self.data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
        if self._has_builtin_locales():
            locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run(
            as_ordinary_user(
                [
                    str(self.binaries / "initdb"),
                    "--auth=trust",
                    f"--username={SUPERUSER}",
                    *locale,
                    "--no-instructions",
                    f"--pgdata={fresh}",
                ]
            )
        )
        fresh.rename(self.data)

    def _has_builtin_locales(self) -> bool:
        text = subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        return int(text.split()[2].split(".")[0]) >= 17

    def _launch(self, deadline: float) -> None:
        arguments = [f"-c{name}={value}" for name, value in self.settings.items()]
        command = [
            str(self.binaries / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.run),
            *arguments,
        ]
        self.process = spawn(
            as_ordinary_user(command),
            log=self.log,
            environment=_plain_environment(),
            orphan_signal=signal.SIGINT,
        )
        while self.process.poll() is None and not self.answers() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _end_leftover(self) -> None:
        """Deal with what a kill -9 of the launcher left: a server that still runs, or the file that
        names a dead one.
        """
        pid_file = self.data / "postmaster.pid"
        for ask in (signal.SIGINT, signal.SIGQUIT):
            pid = _recorded_pid(pid_file)
            if pid is None or not _serves(pid, self.data):
                break
            os.kill(pid, ask)
            _wait_until_gone(pid, STOP_SECONDS)
        # Its number may belong to another program by now, and PostgreSQL would refuse to start
        # because of it.
        pid_file.unlink(missing_ok=True)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=_plain_environment()
        )
        if done.returncode != 0:
            raise EmbeddedError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def _plain_environment() -> dict[str, str]:
    """The environment without PG* settings of the user's shell, which would point the tools
    elsewhere.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _recorded_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether ``pid`` is a server of exactly this cluster: a postmaster works in its data
    directory.
    """
    try:
        return data.samefile(f"/proc/{pid}/cwd")
    except OSError:
        return False


def _wait_until_gone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
