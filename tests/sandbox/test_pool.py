"""Spares, budget, breaker, drain: how a version's processes come and go."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine.breaker import Breaker
from sandbox.engine.budget import ProcessBudget
from sandbox.engine.result import LoadFailed, OutcomeCode
from sandbox.engine.spec import Limits
from tests.sandbox.toolbox import ACME, GLOBEX, TOOLBOX, Pools, call, until

CRASH = "import os; os._exit(1)"


async def test_spares_rise_and_fall_as_asked(pools: Pools):
    pool = await pools.open()
    await pool.pool.set_spares(3)
    await until(lambda: pool.pool.statistics().spares == 3, what="three spares")
    await pool.pool.set_spares(0)
    await until(lambda: pool.pool.budget.used == 0, what="the spares' end")


async def test_a_version_without_spares_keeps_no_process_after_its_start(pools: Pools):
    pool = await pools.open(spares=0)
    assert (pool.pool.budget.used, pool.pool.statistics().spares) == (0, 0)


async def test_without_a_spare_a_call_waits_for_a_process_of_its_own(pools: Pools):
    pool = await pools.open(spares=0)
    assert (await pool.call(ACME, call("echo"))).ok


async def test_twenty_tenants_at_once_are_all_answered(pools: Pools):
    pool = await pools.open()
    tenants = [replace(ACME, tenant_id=f"tenant-{number}") for number in range(20)]
    outcomes = await asyncio.gather(*(pool.call(tenant, call("echo")) for tenant in tenants))
    assert [outcome.code for outcome in outcomes] == [OutcomeCode.OK] * 20


async def test_an_idle_process_makes_room_when_the_budget_is_used_up(pools: Pools):
    pool = await pools.open(budget=ProcessBudget(1), spares=0)
    assert (await pool.call(ACME, call("echo"))).ok
    assert (await pool.call(GLOBEX, call("echo"))).ok
    assert pool.pool.budget.used == 1


async def test_when_every_process_is_busy_a_new_tenant_is_told_to_come_back(pools: Pools):
    pool = await pools.open(budget=ProcessBudget(1), spares=0)
    busy = asyncio.create_task(pool.run("import time; time.sleep(0.5)", ACME))
    await until(lambda: pool.pool.statistics().busy, what="the busy process")
    outcome = await pool.call(GLOBEX, call("echo"))
    assert (outcome.code, outcome.started) == (OutcomeCode.NOT_READY, False)
    assert outcome.retry_after_seconds
    assert (await busy).ok


async def test_the_least_recently_used_process_of_the_instance_gives_way(pools: Pools):
    budget = ProcessBudget(2)
    first = await pools.open(budget=budget, spares=0)
    second = await pools.open(budget=budget, spares=0)
    await first.call(ACME, call("echo"))
    await second.call(ACME, call("echo"))
    await second.call(GLOBEX, call("echo"))
    assert first.pool.statistics().processes == 0
    assert second.pool.statistics().processes == 2


async def test_a_version_cannot_start_without_room(pools: Pools):
    with pytest.raises(LoadFailed, match="all 0 plugin processes"):
        await pools.open(budget=ProcessBudget(0))


async def test_an_idle_process_ends(pools: Pools):
    pool = await pools.open(idle_seconds=0.1)
    assert (await pool.call(ACME, call("echo"))).ok
    await until(lambda: not pool.pool.statistics().processes, what="the idle process's end")
    assert (await pool.call(ACME, call("echo"))).ok


async def test_a_crash_loop_opens_the_tenants_breaker_and_nobody_elses(pools: Pools):
    pool = await pools.open()
    outcomes = [await pool.run(CRASH) for _ in range(12)]
    assert {outcome.code for outcome in outcomes} == {OutcomeCode.CRASHED}
    assert [outcome.started for outcome in outcomes] == [True] * 8 + [False] * 4
    assert outcomes[-1].retry_after_seconds > 1
    assert pool.pool.statistics().open_breakers == 1
    assert (await pool.call(GLOBEX, call("echo"))).ok


def test_a_breaker_opens_at_eight_failures_within_its_window():
    breaker = Breaker()
    for second in range(8):
        assert breaker.allows(second)
        breaker.fail(second)
    assert not breaker.allows(8)
    assert breaker.seconds_left(8) == 29


def test_failures_far_apart_do_not_open_a_breaker():
    breaker = Breaker()
    for number in range(20):
        breaker.fail(number * 10)
    assert breaker.allows(200)


def test_a_half_open_breaker_lets_one_try_through_and_a_success_closes_it():
    breaker = Breaker(failures=1)
    breaker.fail(0)
    assert breaker.allows(30)
    assert not breaker.allows(30)
    breaker.succeed()
    assert breaker.allows(30)


def test_a_failed_try_opens_a_half_open_breaker_again():
    breaker = Breaker(failures=1)
    breaker.fail(0)
    assert breaker.allows(30)
    breaker.fail(31)
    assert not breaker.allows(60)
    assert breaker.allows(61)


async def test_spares_that_die_at_once_are_not_started_for_ever(pools: Pools):
    source = TOOLBOX + "import threading, os\nthreading.Timer(0.02, os._exit, (1,)).start()\n"
    pool = await pools.open(source)
    await until(lambda: pool.pool.statistics().open_breakers, what="the open breaker")
    outcome = await pool.call(ACME, call("echo"))
    assert outcome.code is OutcomeCode.NOT_READY
    assert "keeps failing to start" in outcome.message


async def test_draining_finishes_accepted_calls_and_refuses_new_ones(pools: Pools):
    pool = await pools.open(TOOLBOX + "    def drain(self, deadline): pass\n")
    running = asyncio.create_task(pool.run("import time; time.sleep(0.3); result = 1"))
    waiting = asyncio.create_task(pool.run("result = 2"))
    await until(lambda: pool.pool.statistics().waiting, what="the waiting call")
    drained = asyncio.create_task(pool.pool.drain(10))
    await asyncio.sleep(0)
    refused = await pool.call(ACME, call("echo"))
    assert (refused.code, refused.started) == (OutcomeCode.DRAINING, False)
    assert [(await task).result for task in (running, waiting)] == [b"1", b"2"]
    await drained
    assert pool.pool.budget.used == 0


async def test_a_call_longer_than_the_drain_is_ended_with_draining(pools: Pools):
    pool = await pools.open()
    running = asyncio.create_task(pool.run("import time; time.sleep(60)"))
    await until(lambda: pool.pool.statistics().busy, what="the call's start")
    await pool.pool.drain(0.2)
    outcome = await running
    assert (outcome.code, outcome.started) == (OutcomeCode.DRAINING, True)


async def test_the_plugins_drain_runs_before_the_end(pools: Pools, jail_root):
    source = TOOLBOX + "    def drain(self, deadline): print('closing', flush=True)\n"
    pool = await pools.open(source)
    await pool.run("pass")
    process = pool.pool._processes()[0]
    await pool.pool.drain(5)
    assert process.log.take() == "closing\n"


async def test_hooks_are_asked_on_a_spare_that_stays(pools: Pools):
    pool = await pools.open()
    spare = pool.pool._supply.spares[0]
    assert (await pool.pool.examine()).healthy
    assert pool.pool._supply.spares == [spare]


async def test_a_hook_that_raises_is_told_with_its_text(pools: Pools):
    source = TOOLBOX + "    def readiness(self): raise OSError('the rates are old')\n"
    pool = await pools.open(source)
    examination = await pool.pool.examine()
    assert not examination.healthy
    assert examination.readiness == "readiness: OSError: the rates are old"
    assert examination.liveness == ""


async def test_hooks_are_answered_while_every_tenant_is_busy(pools: Pools):
    pool = await pools.open()
    busy = asyncio.create_task(pool.run("import time; time.sleep(9)"))
    await until(lambda: pool.pool.statistics().busy, what="the busy process")
    assert (await pool.pool.examine()).healthy
    assert not busy.done()
    await pool.pool.stop()
    assert (await busy).code is OutcomeCode.DRAINING


async def test_a_process_that_ran_examples_serves_no_tenant(pools: Pools):
    pool = await pools.open()
    spare = pool.pool._supply.spares[0]
    examples = [call("run", code="served.append('example'); result = 1"), call("run", code=CRASH)]
    examination = await pool.pool.examine([*examples, call("echo")])
    codes = [outcome.code for outcome in examination.outcomes]
    assert codes == [OutcomeCode.OK, OutcomeCode.CRASHED, OutcomeCode.CRASHED]
    assert spare.ended
    assert await pool.value("result = served") == ["acme"]


async def test_calls_after_the_end_of_a_waiting_caller_are_answered(pools: Pools):
    pool = await pools.open()
    running = asyncio.create_task(pool.run("import time; time.sleep(0.3)"))
    gone = asyncio.create_task(pool.run("served.append('gone')"))
    await until(lambda: pool.pool.statistics().waiting, what="the waiting call")
    gone.cancel()
    assert (await running).ok
    assert await pool.value("result = served") == ["acme", "acme"]


async def test_processes_descriptors_and_uids_are_given_back(pools: Pools):
    first = await pools.open()
    await first.run("pass")
    await first.pool.stop()
    before = open_descriptors()
    for _ in range(5):
        pool = await pools.open(limits=Limits(wall_seconds=0.2))
        await pool.run("import time; time.sleep(5)")
        await pool.run(CRASH)
        await pool.run("pass", GLOBEX)
        await pool.pool.stop()
        assert pool.pool.budget.used == 0
    assert open_descriptors() == before


async def test_memory_of_a_process_is_counted(pools: Pools):
    pool = await pools.open()
    idle = pool.pool.memory_bytes()
    assert 2 << 20 < idle < 32 << 20
    await pool.run("import builtins; builtins.keep = b'x' * (20 << 20)")
    await until(lambda: pool.pool.memory_bytes() > idle + (20 << 20), what="the growth")


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
