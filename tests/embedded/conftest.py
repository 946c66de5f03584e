from collections.abc import Iterator
from pathlib import Path

import pytest

from hotswap.embedded.postgres import DISPOSABLE, Postgres


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("a home with spaces")


@pytest.fixture(scope="module")
def postgres(home) -> Iterator[Postgres]:
    server = Postgres(home / "postgres", home / "postgres.log", DISPOSABLE)
    server.start()
    yield server
    server.stop()
