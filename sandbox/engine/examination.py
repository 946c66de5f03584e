"""Asking a loaded process how it is, and trying the manifest's examples on it."""

import asyncio
from collections.abc import Sequence

from sandbox.engine.exchange import Ticket
from sandbox.engine.process import PluginProcess
from sandbox.engine.result import Examination, Outcome, OutcomeCode
from sandbox.engine.spec import Attachment, Call

PROBE_SECONDS = 5.0
EXAMPLE_TENANT = Attachment(tenant_id="example", installation_id="example")


async def probe_process(process: PluginProcess) -> Examination:
    """The plugin's own liveness and readiness."""
    return Examination(await probe(process, "liveness"), await probe(process, "readiness"))


async def probe(process: PluginProcess, name: str) -> str:
    """Empty when the hook passed, else why not."""
    if process.ended:
        return f"{name}: the process has ended"
    answer = await process.ask("probe", PROBE_SECONDS, {"probe": name})
    return "" if "done" in answer else f"{name}: {answer.get('message', 'no reason given')}"


async def examine_process(
    process: PluginProcess, examples: Sequence[Call], attachment: Attachment | None
) -> Examination:
    """Hooks, then each example in turn for a made-up tenant.

    The process is spoilt for any real one afterwards.
    """
    probed = await probe_process(process)
    if not process.ended:
        process.attach(attachment or EXAMPLE_TENANT)
    outcomes = [await run_alone(process, example) for example in examples]
    return Examination(probed.liveness, probed.readiness, tuple(outcomes))


async def run_alone(process: PluginProcess, call: Call) -> Outcome:
    """One call on a process that nobody else uses."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    ticket = Ticket(call, future)
    if process.ended:
        ticket.refuse(OutcomeCode.CRASHED, "an earlier example ended the process")
    else:
        process.submit(ticket)
    return await future
