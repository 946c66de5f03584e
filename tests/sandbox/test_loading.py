"""A version that cannot be started says why, and leaves nothing behind."""

import asyncio
import os
from dataclasses import replace

import pytest

from sandbox.engine.observed import children_of
from sandbox.engine.result import LoadFailed
from sandbox.engine.spec import Limits
from tests.sandbox.toolbox import TOOLBOX, Pools

PLUGIN = "from hotswap_plugin import Plugin\n"


async def load_failure(
    pools: Pools, source: str, entry_point: str = "plugin:Toolbox", **options
) -> LoadFailed:
    pool = pools.prepare(pools.spec(source, entry_point, **options))
    with pytest.raises(LoadFailed) as failure:
        await pool.start()
    assert pool.budget.used == 0
    return failure.value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print('here'); raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("print('here'); import sys; sys.exit(3)", "SystemExit: 3"),
        ("print('here', flush=True); import os; os._exit(3)", "status 3"),
        ("print('here', flush=True); import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("print('here'); import missing_package", "missing_package"),
        ("print('here'\n", "SyntaxError"),
        (PLUGIN + "class Toolbox(Plugin): pass", "declares the method echo, but Toolbox has none"),
        ("x = 1", "no object named Toolbox"),
        ("class Toolbox: pass", "not one of hotswap_plugin.Plugin"),
        ("Toolbox = 42", "neither a Plugin subclass nor a function"),
    ],
)
async def test_a_version_that_cannot_be_loaded_says_why(pools: Pools, source: str, reason: str):
    failure = await load_failure(pools, source)
    assert reason in failure.reason
    assert "toolbox 1.0.0" in failure.reason


async def test_a_startup_that_raises_is_a_failure_of_the_version(pools: Pools):
    source = TOOLBOX + "    def startup(self): raise OSError('the rates are down')\n"
    assert "the rates are down" in (await load_failure(pools, source)).reason


async def test_what_a_version_printed_before_it_failed_is_kept(pools: Pools):
    failure = await load_failure(pools, "print('reading the licence'); raise RuntimeError")
    assert failure.log.startswith("reading the licence\nTraceback")


async def test_an_import_that_hangs_ends_at_the_start_limit_with_its_log(pools: Pools):
    source = "print('connecting', flush=True)\nwhile True: pass"
    failure = await load_failure(pools, source, startup_seconds=0.5)
    assert "took longer than 0.5 s" in failure.reason
    assert "connecting" in failure.log


async def test_an_import_that_eats_all_memory_is_a_failure_of_the_version(pools: Pools):
    source = "x = bytearray(1 << 31)"
    failure = await load_failure(pools, source, limits=Limits(memory_mb=64))
    assert "memory" in failure.reason.lower()


async def test_an_entry_point_into_the_standard_library_is_refused(pools: Pools):
    failure = await load_failure(pools, "", "os:system")
    assert "os is not part of the plugin's own files" in failure.reason


async def test_a_hook_cannot_be_a_method(pools: Pools):
    failure = await load_failure(pools, TOOLBOX, methods=("startup",))
    assert "the name is taken" in failure.reason


async def test_modules_of_every_layer_can_be_imported(pools: Pools):
    library = pools.spec("VALUE = 7").layers[0]
    (library / "plugin.py").rename(library / "their_library.py")
    spec = pools.spec("import their_library\n" + TOOLBOX)
    pool = pools.prepare(replace(spec, layers=(*spec.layers, library)))
    attestation = await pool.start()
    assert attestation.python.startswith("3.")


@pytest.mark.parametrize("milliseconds", [0, 2, 5, 10, 15, 20, 30])
async def test_a_start_given_up_at_any_moment_leaves_no_process(pools: Pools, milliseconds: int):
    before = children_of(os.getpid())
    pool = pools.prepare(pools.spec())
    starting = asyncio.create_task(pool.start())
    await asyncio.sleep(milliseconds / 1000)
    starting.cancel()
    await asyncio.wait([starting])
    await pool.stop()
    assert children_of(os.getpid()) == before
    assert pool.budget.used == 0


async def test_two_versions_load_side_by_side(pools: Pools):
    first, second = await asyncio.gather(pools.open(), pools.open())
    assert await first.value("result = 1") + await second.value("result = 1") == 2
