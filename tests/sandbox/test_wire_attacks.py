"""A plugin can forge the answers of its own process only; breaking the protocol ends it."""

import asyncio

import pytest

from sandbox.engine.result import OutcomeCode
from tests.sandbox.toolbox import ACME, Pools, call, until

FRAME = (
    "import os, json, struct\ndef send(body): os.write(3, struct.pack('>I', len(body)) + body)\n"
)


async def test_a_frame_on_standard_output_is_a_line_of_the_log(pools: Pools):
    pool = await pools.open()
    fake = '{"nonce":"00000000000000000000000000000000","result":"forged"}'
    outcome = await pool.run(f"print('\\0\\0\\0\\x3e' + {fake!r}); result = 'true'")
    assert outcome.result == b'"true"'
    assert "forged" in outcome.logs


@pytest.mark.parametrize(
    "attack",
    [
        "os.write(3, b'\\xff\\xff\\xff\\xff')",
        "os.write(3, b'garbage that is not a frame at all')",
        "send(b'not json')",
        "send(b'[]')",
        "send(b'{}')",
        "send(json.dumps({'nonce': '0' * 32, 'result': 1}).encode())",
        "send(b'{\"nonce\":\"' + b'0' * 32 + b'\",\"result\":1}')",
        "send(b'{\"nonce\":\"' + b'0' * 32 + b'\",\"result\":NaN}')",
        "send(b'[' * 5000)",
        "send(b'\\xff\\xfe')",
        'send(b\'{"hello":{"landlock":99}}\')',
    ],
)
async def test_a_forged_or_broken_frame_ends_the_process(pools: Pools, attack: str):
    pool = await pools.open()
    outcome = await pool.run(FRAME + attack + "\nimport time; time.sleep(5)")
    assert outcome.code is OutcomeCode.PROTOCOL_ERROR
    assert await pool.value("result = len(served)") == 1


async def test_an_answer_for_a_call_that_was_answered_ends_the_process(pools: Pools):
    pool = await pools.open()
    peek = """if True:
        import sys
        frame = sys._getframe()
        while "nonce" not in frame.f_locals: frame = frame.f_back
        import builtins; builtins.old = frame.f_locals["nonce"]"""
    assert (await pool.run(peek)).ok
    replay = (
        FRAME
        + 'send(b\'{"nonce":"\' + old.encode() + b\'","result":1}\')\nimport time; time.sleep(5)'
    )
    assert (await pool.run(replay)).code is OutcomeCode.PROTOCOL_ERROR


async def test_nothing_is_smuggled_in_behind_a_result(pools: Pools):
    pool = await pools.open()
    smuggle = (
        FRAME
        + """if True:
        import sys
        frame = sys._getframe()
        while "nonce" not in frame.f_locals: frame = frame.f_back
        send(b'{"nonce":"' + frame.f_locals["nonce"].encode() + b'","result":1,"code":"ok"}')
        import time; time.sleep(5)"""
    )
    assert (await pool.run(smuggle)).code is OutcomeCode.PROTOCOL_ERROR


async def test_half_a_frame_is_a_timeout(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run(
        "import os, time; os.write(3, b'\\0\\0\\1\\0ab'); time.sleep(9)", wall=0.3
    )
    assert outcome.code is OutcomeCode.TIMEOUT


async def test_a_process_that_closes_its_wire_is_ended(pools: Pools):
    pool = await pools.open()
    hang_up = "import socket, time; socket.socket(fileno=3).shutdown(2); time.sleep(30)"
    assert (await pool.run(hang_up)).code is OutcomeCode.PROTOCOL_ERROR


async def test_a_process_that_loses_its_wire_is_a_timeout(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("import os, time; os.close(3); time.sleep(30)", wall=0.3)
    assert outcome.code is OutcomeCode.TIMEOUT


@pytest.mark.parametrize(
    ("death", "name"),
    [
        ("os._exit(0)", "status 0"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
async def test_a_process_that_dies_in_a_call_has_crashed(pools: Pools, death: str, name: str):
    pool = await pools.open()
    outcome = await pool.run(f"import os; print('last words'); {death}")
    assert outcome.code is OutcomeCode.CRASHED
    assert name in outcome.message
    assert outcome.logs == "last words\n"
    assert await pool.value("result = len(served)") == 1


async def test_a_grandchild_that_holds_the_wire_does_not_delay_the_crash(pools: Pools):
    pool = await pools.open()
    code = "import os, time\nif os.fork() == 0:\n  os.setsid(); time.sleep(60)\nos._exit(5)"
    assert (await pool.run(code, seconds=30)).code is OutcomeCode.CRASHED


async def test_a_crash_between_calls_is_nobodys_failure(pools: Pools):
    pool = await pools.open()
    later = "import threading, os; threading.Timer(0.1, os._exit, (1,)).start()"
    assert (await pool.run(later)).ok
    await until(lambda: not pool.pool.statistics().processes, what="the process's end")
    assert (await pool.call(ACME, call("echo"))).ok


async def test_exit_handlers_and_threads_do_not_keep_a_retired_process(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import atexit, threading, time
        atexit.register(time.sleep, 60)
        threading.Thread(target=time.sleep, args=(60,)).start()"""
    assert (await pool.run(code)).ok
    async with asyncio.timeout(15):
        await pool.pool.drain(5)
    assert pool.pool.statistics().processes == 0
