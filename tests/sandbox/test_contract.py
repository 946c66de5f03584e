"""What a plugin's author can rely on."""

import asyncio

import orjson
import pytest

from sandbox.engine.result import Metric, OutcomeCode
from sandbox.engine.spec import Limits
from tests.sandbox.toolbox import ACME, TOOLBOX, Pools, call

FUNCTION = """
def handle(ctx, **parameters):
    return {"method": ctx.method, "tenant": ctx.tenant_id, **parameters}
"""


async def test_a_method_gets_its_parameters_and_answers_with_its_result(pools: Pools):
    pool = await pools.open()
    outcome = await pool.call(ACME, call("echo", amount=12, currency="€", nested=[{"a": None}]))
    assert outcome.code is OutcomeCode.OK
    assert orjson.loads(outcome.result) == {"amount": 12, "currency": "€", "nested": [{"a": None}]}
    assert outcome.started


async def test_a_plain_function_serves_every_declared_method(pools: Pools):
    pool = pools.prepare(pools.spec(FUNCTION, "plugin:handle", methods=("charge", "refund")))
    await pool.start()
    for method in ("charge", "refund"):
        outcome = await pool.call(ACME, call(method, amount=1))
        assert orjson.loads(outcome.result) == {"method": method, "tenant": "acme", "amount": 1}


async def test_the_context_names_tenant_installation_version_call_and_deadline(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import time
        result = [ctx.tenant_id, ctx.installation_id, ctx.version, ctx.call_id,
                  ctx.config["currency"], ctx.secrets["key"],
                  0 < ctx.deadline - time.monotonic() < 10]"""
    expected = ["acme", "installation-acme", "1.0.0", "call-1", "EUR", "s3cr3t-of-acme", True]
    assert await pool.value(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "ctx.tenant_id = 'globex'",
        "ctx.config['currency'] = 'USD'",
        "ctx.secrets['key'] = 'x'",
        "del ctx.deadline",
    ],
)
async def test_the_context_cannot_be_changed(pools: Pools, code: str):
    pool = await pools.open()
    outcome = await pool.run(code)
    assert outcome.code is OutcomeCode.PLUGIN_ERROR


async def test_printing_the_secrets_shows_their_names_only(pools: Pools):
    pool = await pools.open()
    assert "s3cr3t" not in await pool.value("result = repr(ctx.secrets) + str(ctx.secrets)")


async def test_an_exception_is_a_plugin_error_with_type_and_text_and_a_traceback_in_the_log(
    pools: Pools,
):
    pool = await pools.open()
    outcome = await pool.run("raise ValueError('no such account')")
    assert (outcome.code, outcome.message) == (
        OutcomeCode.PLUGIN_ERROR,
        "ValueError: no such account",
    )
    assert "plugin.py" in outcome.logs
    assert "hotswap_runtime" not in outcome.logs


async def test_a_plugin_error_is_answered_with_exactly_its_message(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run(
        "from hotswap_plugin import PluginError; raise PluginError('card refused')"
    )
    assert (outcome.code, outcome.message, outcome.logs) == (
        OutcomeCode.PLUGIN_ERROR,
        "card refused",
        "",
    )


async def test_leaving_the_interpreter_in_a_call_is_a_plugin_error(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("raise SystemExit(3)")
    assert outcome.code is OutcomeCode.PLUGIN_ERROR
    assert await pool.value("result = 1") == 1


async def test_neither_message_nor_log_has_a_secret(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("print(ctx.secrets['key']); raise ValueError(ctx.secrets['key'])")
    assert outcome.message == "ValueError: ***"
    assert "s3cr3t-of-acme" not in outcome.logs
    assert "***" in outcome.logs


async def test_a_message_is_bounded_and_an_exception_without_a_text_has_its_type(pools: Pools):
    pool = await pools.open()
    assert len((await pool.run("raise ValueError('x' * 10_000_000)")).message) < 1100
    hostile = """if True:
        class Hostile(Exception):
            def __str__(self): raise RuntimeError
        raise Hostile"""
    assert (await pool.run(hostile)).message == "Hostile: (its text cannot be shown)"


@pytest.mark.parametrize(
    "code",
    [
        "result = object()",
        "result = float('nan')",
        "result = float('inf')",
        "result = '\\ud800'",
        "result = []; result.append(result)",
        "result = {(1, 2): 3}",
        "result = 10 ** 5000",
        "result = b'bytes'",
    ],
)
async def test_a_result_that_is_not_json_is_a_plugin_error(pools: Pools, code: str):
    pool = await pools.open()
    outcome = await pool.run(code)
    assert outcome.code is OutcomeCode.PLUGIN_ERROR
    assert await pool.value("result = 'still here'") == "still here"


async def test_a_whole_number_of_any_size_arrives_unchanged(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("result = 2 ** 200")
    assert outcome.result == str(2**200).encode()


async def test_a_result_over_the_limit_is_an_output_limit_and_the_process_stays(pools: Pools):
    pool = await pools.open(limits=Limits(output_bytes=10_000))
    outcome = await pool.run("result = 'x' * 10_000")
    assert outcome.code is OutcomeCode.OUTPUT_LIMIT
    assert await pool.value("result = len(served)") == 2


async def test_an_async_method_is_refused_in_words(pools: Pools):
    source = TOOLBOX + "    async def later(self, ctx): return 1\n"
    pool = pools.prepare(pools.spec(source, methods=("later",)))
    await pool.start()
    assert "async" in (await pool.call(ACME, call("later"))).message


async def test_the_network_is_refused_in_words(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("ctx.http.get('https://example.org/x')")
    assert outcome.code is OutcomeCode.EGRESS_DENIED
    assert "https://example.org/x" in outcome.message


async def test_prints_and_log_lines_belong_to_their_call(pools: Pools):
    pool = await pools.open()
    first = await pool.run("print('one'); ctx.log('charged', amount=3)")
    second = await pool.run("import sys; print('two', file=sys.stderr)")
    assert first.logs == "one\ncharged amount=3\n"
    assert second.logs == "two\n"


async def test_metrics_arrive_with_the_answer(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("ctx.metric('charges', 2, currency='EUR'); ctx.metric('seen')")
    assert outcome.metrics == (Metric("charges", 2.0, (("currency", "EUR"),)), Metric("seen", 1.0))


async def test_terminal_sequences_in_a_log_are_made_visible(pools: Pools):
    pool = await pools.open()
    outcome = await pool.run("print('\\x1b[2J\\rfake'); import os; os.write(1, b'\\xff\\n')")
    assert "\x1b" not in outcome.logs
    assert "\\x1b[2J\\x0dfake" in outcome.logs


async def test_large_parameters_arrive_whole(pools: Pools):
    pool = await pools.open(limits=Limits(output_bytes=4 << 20))
    text = "é" * (1 << 20)
    outcome = await pool.call(ACME, call("echo", text=text))
    assert orjson.loads(outcome.result) == {"text": text}


async def test_threads_run_calls_of_one_tenant_side_by_side(pools: Pools):
    pool = await pools.open(threads=4)
    meet = "import threading; b = vars(threading).setdefault('b', threading.Barrier(3)); b.wait(5)"
    outcomes = await asyncio.gather(*(pool.run(meet) for _ in range(3)))
    assert [outcome.code for outcome in outcomes] == [OutcomeCode.OK] * 3
    assert pool.pool.statistics().processes == 1
