"""From a spec to a started, attested, loaded process."""

import asyncio
import socket
from typing import Any

from sandbox.engine.attestation import Attestation
from sandbox.engine.attesting import attest, demand
from sandbox.engine.jail import View, python_command
from sandbox.engine.launch import Jailed, Job, launch, starter
from sandbox.engine.limits import jail_rlimits
from sandbox.engine.prepared import PreparedMachine
from sandbox.engine.process import PluginProcess
from sandbox.engine.result import JailUnavailable, LoadFailed, OutcomeCode
from sandbox.engine.spec import PluginSpec
from sandbox.engine.watch import Watch

HELLO_SECONDS = 20


async def start_process(
    machine: PreparedMachine, spec: PluginSpec, watch: Watch
) -> tuple[PluginProcess, Attestation]:
    """A process whose plugin is imported and started, without a tenant.

    LoadFailed, or JailUnavailable for the machine's fault.
    """
    host_end, jail_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        jailed = await launched(machine, spec, jail_end)
    except OSError as error:
        host_end.close()
        raise JailUnavailable(f"a jail cannot be started: {error}") from error
    except BaseException:
        host_end.close()
        raise
    host_end.setblocking(False)
    process = PluginProcess(jailed, spec.limits, watch)
    try:
        await process.connect(host_end)
        attestation = await attested(process, machine)
        await load(process, spec)
    except BaseException:
        process.kill(OutcomeCode.NOT_READY, "it could not be loaded")
        await asyncio.shield(process.gone)
        raise
    return process, attestation


async def launched(machine: PreparedMachine, spec: PluginSpec, jail_end: socket.socket) -> Jailed:
    """Start the jail in the thread for it. Cancelled, wait for that thread and end the jail."""
    loop = asyncio.get_running_loop()
    launching = loop.run_in_executor(starter(), launch_plugin, machine, spec, jail_end.fileno())
    try:
        return await asyncio.shield(launching)
    except asyncio.CancelledError:
        jailed = await launching
        jailed.kill()
        await asyncio.to_thread(jailed.popen.wait)
        jailed.close()
        raise
    finally:
        jail_end.close()


def launch_plugin(machine: PreparedMachine, spec: PluginSpec, stdin: int) -> Jailed:
    """Start the runtime in a jail that sees the version's layers and nothing else. Blocking."""
    layers = dict(zip(inner_layers(spec), spec.layers, strict=True))
    job = Job(
        view=View(read_only={"/runtime": machine.runtime} | layers),
        command=python_command(machine.interpreter, "/runtime/start.py"),
        limits=spec.limits,
        rlimits=jail_rlimits(spec.limits, memory_is_bounded=machine.cgroups is not None),
        stdin=stdin,
    )
    return launch(machine, job)


def inner_layers(spec: PluginSpec) -> list[str]:
    """Where the layers are inside."""
    return [f"/layers/{number}" for number in range(len(spec.layers))]


async def attested(process: PluginProcess, machine: PreparedMachine) -> Attestation:
    """What the jail has; refused when that is less than demanded, before any plugin code runs."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = await asyncio.shield(process.hello)
    except TimeoutError:
        raise JailUnavailable(f"the jail did not say hello within {HELLO_SECONDS} s") from None
    if not hello:
        log = process.log.take()
        raise JailUnavailable(f"the jail ended before it said hello: {log.strip()[-500:]}", log)
    try:
        return demand(attest(process.jailed, hello), machine.minimum)
    except FileNotFoundError:
        raise JailUnavailable("the jail ended while it was looked at") from None


async def load(process: PluginProcess, spec: PluginSpec) -> None:
    """Import the plugin and run its startup."""
    answer = await process.ask("load", spec.startup_seconds, load_fields(spec))
    if "done" not in answer:
        log = str(answer.get("log", "")) + process.log.take()
        raise LoadFailed(load_reason(answer, spec), log)
    done = answer["done"]
    process.hooks = frozenset(map(str, done["hooks"] if isinstance(done, dict) else ()))


def load_fields(spec: PluginSpec) -> dict[str, Any]:
    """What the runtime needs to know about the version."""
    return {
        "layers": inner_layers(spec),
        "entry_point": spec.entry_point,
        "methods": list(spec.methods),
        "version": spec.version,
        "threads": spec.threads,
        "output_bytes": spec.limits.output_bytes,
    }


def load_reason(answer: dict[str, Any], spec: PluginSpec) -> str:
    """One sentence for the person who uploaded it."""
    message = str(answer.get("message", "it gave no reason"))
    if answer.get("code") == OutcomeCode.TIMEOUT:
        message = f"its import and startup took longer than {spec.startup_seconds:g} s"
    return f"{spec.plugin} {spec.version} could not be loaded: {message}"
