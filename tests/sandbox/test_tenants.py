"""One process serves one tenant, on one epoch of its configuration."""

import asyncio
from dataclasses import replace
from pathlib import Path

from sandbox.engine.observed import children_of
from sandbox.engine.result import OutcomeCode
from tests.sandbox.toolbox import ACME, GLOBEX, WITH_CONFIG_HOOK, Pools, call, until


async def test_two_tenants_never_share_a_process(pools: Pools):
    pool = await pools.open()
    for _ in range(3):
        await pool.run("pass", ACME)
        await pool.run("pass", GLOBEX)
    assert await pool.value("result = served", ACME) == ["acme"] * 4
    assert await pool.value("result = served", GLOBEX) == ["globex"] * 4
    assert pool.pool.statistics().tenants == 2


async def test_a_process_of_a_tenant_that_left_is_not_given_to_another(pools: Pools):
    pool = await pools.open(spares=0)
    assert await pool.value("served.append('mark'); result = 1", ACME) == 1
    await pool.pool.release_tenant("acme")
    await until(lambda: not pool.pool.statistics().processes, what="the end of acme's process")
    assert await pool.value("result = served", GLOBEX) == ["globex"]


async def test_releasing_a_tenant_lets_its_calls_finish(pools: Pools):
    pool = await pools.open()
    slow = asyncio.create_task(pool.run("import time; time.sleep(0.3)"))
    waiting = asyncio.create_task(pool.run("pass"))
    await until(lambda: pool.pool.statistics().waiting, what="the waiting call")
    await pool.pool.release_tenant("acme")
    assert (await slow).ok
    assert (await waiting).ok
    await until(lambda: not pool.pool.budget.used - pool.pool.statistics().spares, what="the end")


async def test_a_spare_knows_no_tenant_and_no_secret(pools: Pools):
    pool = await pools.open()
    await pool.run("pass")
    spare = await until(lambda: pool.pool._supply.spares, what="a spare")
    assert spare[0].attachment is None
    memory = memory_of(spare[0].jailed.first)
    assert b"hotswap_runtime" in memory
    assert ACME.secrets["key"].encode() not in memory
    assert b"installation-acme" not in memory


async def test_a_tenants_process_has_no_secret_of_another_tenant(pools: Pools):
    pool = await pools.open()
    await pool.run("pass", ACME)
    await pool.run("pass", GLOBEX)
    for group in pool.pool._groups.values():
        memory = memory_of(group.processes[0].jailed.first)
        own, other = (ACME, GLOBEX) if group.attachment is ACME else (GLOBEX, ACME)
        assert own.secrets["key"].encode() in memory
        assert other.secrets["key"].encode() not in memory


async def test_a_new_epoch_is_told_to_a_plugin_that_can_take_it(pools: Pools):
    pool = await pools.open(WITH_CONFIG_HOOK)
    await pool.run("pass")
    newer = replace(ACME, config=b'{"currency":"USD"}', secrets={"key": "new"}, epoch=2)
    code = "result = [ctx.config['currency'], ctx.secrets['key'], len(served)]"
    assert await pool.value(code, newer) == ["USD", "new", 2]


async def test_without_the_hook_a_new_epoch_means_a_new_process(pools: Pools):
    pool = await pools.open()
    await pool.run("pass")
    newer = replace(ACME, config=b'{"currency":"USD"}', epoch=2)
    assert await pool.value("result = [ctx.config['currency'], len(served)]", newer) == ["USD", 1]
    assert pool.pool.statistics().processes == 1


async def test_a_hook_that_raises_means_a_new_process(pools: Pools):
    pool = await pools.open(WITH_CONFIG_HOOK)
    await pool.run("pass")
    newer = replace(ACME, config=b'{"on_change":"raise ValueError"}', epoch=2)
    assert await pool.value("result = len(served)", newer) == 1


async def test_a_hook_that_hangs_means_a_new_process(pools: Pools):
    pool = await pools.open(WITH_CONFIG_HOOK)
    await pool.run("pass")
    newer = replace(ACME, config=b'{"on_change":"while True: pass"}', epoch=2)
    assert await pool.value("result = len(served)", newer) == 1


async def test_an_older_epoch_does_not_bring_the_old_configuration_back(pools: Pools):
    pool = await pools.open(WITH_CONFIG_HOOK)
    newer = replace(ACME, config=b'{"currency":"USD"}', epoch=2)
    await pool.run("pass", newer)
    assert await pool.value("result = ctx.config['currency']", ACME) == "USD"


async def test_a_call_that_runs_keeps_its_epoch(pools: Pools):
    pool = await pools.open(WITH_CONFIG_HOOK)
    before = "import time; first = ctx.config['currency']; time.sleep(0.4); "
    running = asyncio.create_task(pool.value(before + "result = [first, ctx.config['currency']]"))
    await until(lambda: pool.pool.statistics().busy, what="the call's start")
    newer = replace(ACME, config=b'{"currency":"USD"}', epoch=2)
    after = asyncio.create_task(pool.value("result = ctx.config['currency']", newer))
    assert await running == ["EUR", "EUR"]
    assert await after == "USD"


async def test_a_tenant_gets_as_many_processes_as_it_may_have(pools: Pools):
    pool = await pools.open(processes_per_tenant=2, spares=2)
    slow = [pool.run("import time; time.sleep(0.3)") for _ in range(6)]
    outcomes = await asyncio.gather(*slow)
    assert [outcome.code for outcome in outcomes] == [OutcomeCode.OK] * 6
    assert pool.pool.statistics().processes == 2


async def test_a_tenants_first_call_takes_the_spare_and_another_is_made(pools: Pools):
    pool = await pools.open()
    spare = pool.pool._supply.spares[0]
    assert (await pool.call(ACME, call("echo"))).ok
    assert pool.pool._processes() == [spare]
    await until(lambda: pool.pool.statistics().spares == 1, what="a new spare")


def memory_of(first: int) -> bytes:
    """The readable memory of the jailed interpreter, from outside."""
    pid = children_of(first)[0]
    found = bytearray()
    process = Path(f"/proc/{pid}")
    with (process / "maps").open() as maps, (process / "mem").open("rb", 0) as memory:
        for line in maps:
            area, rights = line.split()[:2]
            if "rw" in rights:
                start, end = (int(number, 16) for number in area.split("-"))
                memory.seek(start)
                found += memory.read(end - start)
    return bytes(found)
