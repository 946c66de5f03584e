"""The database, keys and processes that tests ask for. The people and plugins in them come from
tests/factories.py.
"""

import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase

from tests.databases import drop_database, recreate_database
from tests.processes import Processes, environment_for
from tests.servers import (
    DATABASE,
    HOME,
    database_url,
    ensure_postgres,
    ensure_valkey,
    valkey_is_started,
)

pytest_plugins = ("tests.actors", "tests.clients")
SLOW_SUITES = ("attack", "bare", "browser", "chaos", "prometheus", "s3", "slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow suites out unless --all, or -m, asks for them."""
    if config.getoption("--all") or config.getoption("-m"):
        return
    left_out = [
        item for item in items if any(item.get_closest_marker(name) for name in SLOW_SUITES)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the processes that a failed test had started."""
    report = yield
    started = getattr(item, "funcargs", {}).get("processes")
    if report.failed and isinstance(started, Processes):
        report.sections.append(("Processes", started.logs()))
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> Iterator[None]:
    """In place of pytest-django's: the default connection is hotswap_web on a copy of the migrated
    template.
    """
    ensure_postgres()
    ensure_valkey()
    recreate_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _put_database_back)
        yield
    with django_db_blocker.unblock():
        connections.close_all()
    drop_database()


def _put_database_back(_: TransactionTestCase) -> None:
    connections.close_all()
    recreate_database()


@pytest.fixture(autouse=True)
def _empty_valkey() -> Iterator[None]:
    yield
    if valkey_is_started():
        ensure_valkey().flush()


@pytest.fixture
def redis_url() -> str:
    """The URL of a Valkey that is empty when the test starts."""
    return ensure_valkey().url


@pytest.fixture(scope="session")
def database_urls() -> dict[str, str]:
    """The URL of the test's database for each role, for processes that a test starts."""
    roles = ("owner", "web", "system", "instance")
    return {role: database_url(f"hotswap_{role}") for role in roles} | {
        "superuser": database_url("postgres")
    }


@pytest.fixture
def connect_as(transactional_db, database_urls) -> Iterator[Callable[[str], psycopg.Connection]]:
    """``connect_as("system")``: a connection of its own, in autocommit, as owner, web, system,
    instance or superuser.
    """
    opened: list[psycopg.Connection] = []

    def connect(role: str) -> psycopg.Connection:
        opened.append(psycopg.connect(database_urls[role], autocommit=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def keys_dir(django_test_environment) -> Path:
    """The platform's keys, made once for this worker."""
    from django.conf import settings  # the settings exist only once pytest-django has read them

    call_command("makekeys", verbosity=0)
    return Path(settings.KEYS_DIR)


@pytest.fixture
def process_environment(transactional_db, keys_dir) -> Callable[..., dict[str, str]]:
    """``process_environment("web")``: the environment of a real process: owner, web, worker, beat
    or instance.
    """
    return environment_for


@pytest.fixture
def processes(process_environment, tmp_path) -> Iterator[Processes]:
    """Starts real web, worker, beat and instance processes; their logs are shown when the test
    fails.
    """
    # An instance of an earlier test must not be known by what it kept.
    shutil.rmtree(HOME / "instances", ignore_errors=True)
    started = Processes(tmp_path / "logs")
    yield started
    started.stop_all()


@pytest.fixture(scope="session")
def database_name() -> str:
    return DATABASE
