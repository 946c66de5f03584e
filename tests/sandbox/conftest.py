"""Where real jails keep their files in the tests, and tests that are coroutines."""

import inspect
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from sandbox.engine.jail import JailSettings
from tests.sandbox.toolbox import Pools


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, on the loop of an instance, and stop its pools there."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run() -> None:
        try:
            await pyfuncitem.obj(**wanted)
        finally:
            for pools in wanted.values():
                if isinstance(pools, Pools):
                    await pools.stop()

    uvloop.run(run())
    return True


@pytest.fixture(scope="session")
def jail_root() -> Iterator[Path]:
    """A directory that every uid can traverse; its name has a space, as a user's may have."""
    root = Path(tempfile.mkdtemp(prefix="hotswap jail "))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def jail(jail_root: Path) -> JailSettings:
    """Uids of a range of the tests' own, so that they never wait for a running HotSwap."""
    return JailSettings(
        jail_root, uid_range=(1_910_000_000, 1_910_008_191) if not os.geteuid() else None
    )


@pytest.fixture
def pools(jail: JailSettings) -> Pools:
    """Makes pools; they are stopped at the end of the test."""
    return Pools(jail)
