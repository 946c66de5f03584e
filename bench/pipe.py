"""The pipe to a jailed process and the pool around it: what no call can be cheaper than."""

import argparse
import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from sandbox.engine.jail import JailSettings
from sandbox.engine.launch import starter
from sandbox.engine.loader import launch_plugin, load_fields
from sandbox.engine.observed import cpu_seconds_of
from sandbox.engine.pool import VersionPool
from sandbox.engine.prepared import prepare_machine
from sandbox.engine.spec import Attachment, Call, PluginSpec
from sandbox.engine.wire import attachment_fields, call_frame, control_frame, new_nonce

SOURCE = """
def handle(ctx, text):
    return {"text": text}
"""
PARAMETERS = b'{"text":"a call of about seventy bytes"}'
TENANT = Attachment("bench", "bench")
CLIENTS = 8
WARM_UP = 500


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of the command line."""
    parser.add_argument("--calls", type=int, default=20_000, help="of each kind (20000)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """See ``measure_pipe``."""
    return measure_pipe(options.calls)


def measure_pipe(calls: int) -> dict[str, Any]:
    """Calls a CPU-second, the plugin's process included.

    ``calls_per_cpu_second``: the bare pipe, a blocking write and read per call.
    ``pool_calls_per_cpu_second``: through VersionPool.call, eight callers on one event loop.
    """
    with echo_plugin() as (spec, jail):
        pool = uvloop.run(measure_pool(spec, jail, calls))
        return {"calls": calls, "calls_per_cpu_second": measure_bare(spec, jail, calls), **pool}


@contextmanager
def echo_plugin() -> Iterator[tuple[PluginSpec, JailSettings]]:
    """A version that answers with what it was given."""
    root = Path(tempfile.mkdtemp(prefix="hotswap-bench-"))
    try:
        root.chmod(0o755)
        layer = root / "layer"
        layer.mkdir(mode=0o755)
        (layer / "echo.py").write_text(SOURCE)
        yield (
            PluginSpec("echo", "1.0.0", "0" * 64, (layer,), "echo:handle", ("echo",)),
            JailSettings(root),
        )
    finally:
        shutil.rmtree(root)


def echo_call() -> Call:
    """One call, with a minute left."""
    return Call("echo", PARAMETERS, "call", time.monotonic() + 60)


async def measure_pool(spec: PluginSpec, jail: JailSettings, calls: int) -> dict[str, float]:
    """Calls, start and memory of a pool."""
    pool = VersionPool(spec, jail)
    await pool.start()
    began = time.perf_counter()
    examination = await pool.examine([echo_call()])
    start_ms = (time.perf_counter() - began) * 1000
    if not examination.outcomes[0].ok:
        raise RuntimeError(f"the echo failed: {examination.outcomes[0].message}")

    async def caller(count: int) -> None:
        for _ in range(count):
            await pool.call(TENANT, echo_call())

    await caller(WARM_UP)
    await pool.set_spares(0)
    before = cpu_seconds_of(os.getpid())
    await asyncio.gather(*(caller(calls // CLIENTS) for _ in range(CLIENTS)))
    used = cpu_seconds_of(os.getpid()) - before
    memory = pool.memory_bytes()
    await pool.stop()
    return {
        "pool_calls_per_cpu_second": calls / used,
        "examine_on_a_spare_ms": start_ms,
        "process_pss_mib": memory / 2**20,
    }


def measure_bare(spec: PluginSpec, jail: JailSettings, calls: int) -> float:
    """Calls a CPU-second with nothing around the socket."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with here:
        machine = starter().submit(prepare_machine, jail).result()
        jailed = starter().submit(launch_plugin, machine, spec, there.fileno()).result()
        there.close()
        here.recv(4096)
        for do, fields in (("load", load_fields(spec)), ("attach", attachment_fields(TENANT))):
            here.sendall(control_frame(new_nonce(), do, fields))
            here.recv(4096)
        exchange(here, WARM_UP)
        before = cpu_seconds_of(os.getpid())
        exchange(here, calls)
        used = cpu_seconds_of(os.getpid()) - before
    jailed.kill()
    jailed.popen.wait()
    jailed.close()
    return calls / used


def exchange(wire: socket.socket, calls: int) -> None:
    """Send a frame, read its answer, so many times. An answer this small comes in one piece."""
    nonce, call = new_nonce(), echo_call()
    frame = call_frame(nonce, call, call.deadline)
    for _ in range(calls):
        wire.sendall(frame)
        wire.recv(4096)
