"""A call that takes too much is ended alone; calls that wait are answered by another process."""

import asyncio

import pytest

from sandbox.engine.result import OutcomeCode
from sandbox.engine.spec import Limits
from tests.sandbox.toolbox import ACME, GLOBEX, Pools, call, until


async def test_a_call_past_its_limit_is_a_timeout_and_the_next_one_is_answered(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("print('begun'); import time; time.sleep(60)", wall=0.2)
    assert outcome.code is OutcomeCode.TIMEOUT
    assert outcome.started
    assert outcome.logs == "begun\n"
    assert await pool.value("result = len(served)") == 1


async def test_a_call_is_ended_at_its_limit_not_some_time_later(pools: Pools):
    pool = await pools.open(spares=2)
    longer = asyncio.create_task(pool.run("import time; time.sleep(3)", GLOBEX))
    await until(lambda: pool.pool.statistics().busy, what="the longer call's start")
    assert (await pool.run("import time; time.sleep(60)", wall=0.1)).code is OutcomeCode.TIMEOUT
    assert not longer.done()


async def test_a_call_past_its_deadline_is_a_timeout(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("import time; time.sleep(60)", seconds=0.2)
    assert outcome.code is OutcomeCode.TIMEOUT


async def test_a_call_times_out_while_c_code_holds_the_interpreter(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("10 ** 10 ** 8", wall=0.3)
    assert outcome.code is OutcomeCode.TIMEOUT


async def test_signals_cannot_keep_a_call_alive(pools: Pools):
    pool = await pools.open()
    stubborn = """if True:
        import signal, time
        for number in range(1, 32):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(1)"""
    assert (await pool.run(stubborn, wall=0.3)).code is OutcomeCode.TIMEOUT


async def test_one_timeout_with_twenty_waiting_costs_one_call(pools: Pools):
    pool = await pools.open()
    slow = asyncio.create_task(pool.run("import time; time.sleep(60)", wall=0.5))
    await until(lambda: pool.pool.statistics().busy, what="the slow call's start")
    waiting = [pool.call(ACME, call("echo", number=number)) for number in range(20)]
    outcomes = await asyncio.gather(slow, *waiting)
    codes = [outcome.code for outcome in outcomes]
    assert codes == [OutcomeCode.TIMEOUT] + [OutcomeCode.OK] * 20


async def test_a_call_whose_deadline_passes_while_it_waits_was_never_started(pools: Pools):
    pool = await pools.open()
    slow = asyncio.create_task(pool.run("import time; time.sleep(0.6)"))
    await until(lambda: pool.pool.statistics().busy, what="the slow call's start")
    outcome = await pool.call(ACME, call("echo", seconds=0.1))
    assert (outcome.code, outcome.started) == (OutcomeCode.TIMEOUT, False)
    assert (await slow).ok


async def test_cpu_time_has_a_limit_of_its_own(pools: Pools):
    pool = await pools.open(limits=Limits(cpu_seconds=0.3, wall_seconds=30))
    outcome = await pool.run("while True: pass")
    assert outcome.code is OutcomeCode.CPU_LIMIT


async def test_cpu_time_of_child_processes_counts(pools: Pools):
    pool = await pools.open(limits=Limits(cpu_seconds=0.3, wall_seconds=30))
    code = "import os\nif os.fork() == 0:\n  while True: pass\nos.wait()"
    assert (await pool.run(code)).code is OutcomeCode.CPU_LIMIT


async def test_waiting_is_not_cpu_time(pools: Pools):
    pool = await pools.open(limits=Limits(cpu_seconds=0.2, wall_seconds=30))
    assert (await pool.run("import time; time.sleep(0.8)")).ok


@pytest.mark.parametrize(
    "code",
    [
        "x = bytearray(1 << 32)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "import mmap; m = mmap.mmap(-1, 1 << 29)\nfor i in range(0, 1 << 29, 4096): m[i] = 1",
        "result = [0] * (1 << 24); result = [result] * 64",
    ],
)
async def test_too_much_memory_is_a_memory_limit(pools: Pools, code: str):
    pool = await pools.open(limits=Limits(memory_mb=96))
    outcome = await pool.run(code)
    assert outcome.code is OutcomeCode.MEMORY_LIMIT
    assert "96 MB" in outcome.message
    assert await pool.value("result = 'next'") == "next"


async def test_a_fork_bomb_meets_the_process_limit_and_dies_with_its_call(pools: Pools):
    pool = await pools.open(limits=Limits(pids=8))
    bomb = """if True:
        import os, time
        children = 0
        try:
            while True:
                if os.fork() == 0: time.sleep(60); os._exit(0)
                children += 1
        except OSError as error:
            result = [children, error.errno]"""
    children, errno = await pool.value(bomb)
    assert 0 < children <= 8
    assert errno == 11
    outcome = await pool.run("import time; time.sleep(60)", wall=0.2)
    assert outcome.code is OutcomeCode.TIMEOUT


async def test_a_thread_bomb_meets_the_process_limit(pools: Pools):
    pool = await pools.open(limits=Limits(pids=8))
    bomb = """if True:
        import threading
        stop = threading.Event()
        try:
            while True: threading.Thread(target=stop.wait, daemon=True).start()
        except RuntimeError:
            result = threading.active_count()"""
    assert await pool.value(bomb) <= 8


async def test_a_neighbour_answers_while_a_fork_bomb_runs(pools: Pools):
    pool = await pools.open(limits=Limits(pids=8))
    assert (await pool.call(GLOBEX, call("echo"))).ok
    bomb = asyncio.create_task(
        pool.run("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", wall=0.5)
    )
    await until(lambda: pool.pool.statistics().busy, what="the bomb's start")
    for _ in range(10):
        assert (await pool.call(GLOBEX, call("echo"))).ok
    assert (await bomb).code is OutcomeCode.TIMEOUT


async def test_the_scratch_directory_is_bounded(pools: Pools):
    pool = await pools.open(limits=Limits(tmp_mb=4))
    fill = """if True:
        result = 0
        try:
            for number in range(64):
                with open(f'/tmp/{number}', 'wb') as file: file.write(bytes(1 << 20))
                result += 1
        except OSError as error:
            result = [result, error.errno]"""
    written, errno = await pool.value(fill)
    assert written <= 4
    assert errno == 28


async def test_a_flood_of_output_is_cut_and_hurts_nobody(pools: Pools):
    pool = await pools.open()
    flood = "import os\nfor _ in range(200): os.write(1, b'x' * 60_000)\nprint('end')"
    outcome = await pool.run(flood)
    assert outcome.code is OutcomeCode.OK
    assert outcome.logs.startswith("… (cut)")
    assert outcome.logs.endswith("end\n")
    assert len(outcome.logs) < 70_000
