"""The servers of a test run: one PostgreSQL for all its workers, one Valkey for each, started when
first needed.

Loaded as a pytest plugin before the settings are read, because their addresses are settings.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hotswap.embedded.valkey import Valkey

REPOSITORY = Path(__file__).resolve().parent.parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
IS_CONTROLLER = WORKER == "main"
LONGEST_START_SECONDS = 180
# The workers of pytest-xdist inherit it from the controller, so that all name the same run.
os.environ.setdefault("HOTSWAP_TEST_RUN", f"/tmp/hotswap-test-{os.getpid()}")
RUN = Path(os.environ["HOTSWAP_TEST_RUN"])
POSTGRES_SOCKETS = RUN / "postgres" / "run"
HOME = RUN / WORKER / "home"
DATABASE = f"hotswap_{WORKER}"
# Jailed processes have a uid of their own when the run is root's, so their layers lie outside the
# private directory.
LAYERS = RUN.with_name(f"{RUN.name}-layers")


def database_url(role: str, database: str = DATABASE) -> str:
    """The URL of this worker's database for ``role``; the superuser is ``postgres``."""
    return f"postgres://{role}@/{database}?host={POSTGRES_SOCKETS}"


REDIS_URL = f"unix://{RUN}/{WORKER}/valkey.sock"
SETTINGS = {
    "HOTSWAP_HOME": str(HOME),
    "HOTSWAP_LAYERS_DIR": str(LAYERS / WORKER),
    "HOTSWAP_DATABASE_URL": database_url("hotswap_web"),
    "HOTSWAP_REDIS_URL": REDIS_URL,
    "HOTSWAP_SECRET_KEY": "only-for-tests-" + "0123456789" * 4,
    "HOTSWAP_RATE_LIMITS": "off",
}
for _name in [
    name
    for name in os.environ
    if name.startswith("HOTSWAP_") and not name.startswith("HOTSWAP_TEST_")
]:
    del os.environ[_name]
os.environ.update(SETTINGS)


@cache
def ensure_postgres() -> None:
    """Start the run's PostgreSQL with its migrated template unless another worker has; wait until
    it is there.
    """
    RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (RUN / "keeper.pid").exists():
            _start_keeper()
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while not (RUN / "ready").exists():
        if (RUN / "failed").exists() or time.monotonic() > deadline:
            pytest.exit(
                f"No PostgreSQL for the tests:\n{(RUN / 'keeper.log').read_text()}", returncode=3
            )
        time.sleep(0.02)


@cache
def ensure_valkey() -> "Valkey":
    """This worker's Valkey, which ends with the worker."""
    # This module is loaded before coverage is measured.
    from hotswap.embedded.valkey import Valkey

    directory = RUN / WORKER
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    valkey = Valkey(directory / "valkey", directory, directory / "valkey.log")
    valkey.start()
    return valkey


def valkey_is_started() -> bool:
    """Whether a test of this worker asked for Valkey already."""
    return ensure_valkey.cache_info().currsize > 0


def _start_keeper() -> None:
    """Start the process that owns PostgreSQL and ends when the controller ends."""
    controller = os.getpid() if IS_CONTROLLER else os.getppid()
    with (RUN / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.keeper", str(RUN), str(controller)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (RUN / "keeper.pid").write_text(str(keeper.pid))
    # It outlives the worker that happened to start it: nobody waits for it here.
    keeper.returncode = 0


def _stop_keeper() -> None:
    with suppress(OSError, ValueError):
        os.kill(int((RUN / "keeper.pid").read_text()), signal.SIGTERM)
    deadline = time.monotonic() + 20
    while (RUN / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if valkey_is_started():
        ensure_valkey().stop()
    if IS_CONTROLLER:
        _stop_keeper()
        shutil.rmtree(RUN, ignore_errors=True)
        shutil.rmtree(LAYERS, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the slow suites too")
