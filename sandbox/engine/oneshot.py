"""A program of ours over hostile data: one jail, one run, read-only inputs, one writable directory.

The program is a file, or a directory with ``__main__.py``; it may use the standard library only. It
sees ``/input/<name>`` for each input and, if given, ``/output``. Standard output is its answer.
"""

import asyncio
import math
import os
import resource
import select
import signal
import socket
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.attestation import Attestation
from sandbox.engine.attesting import attest, demand
from sandbox.engine.endings import SIGNAL_BASE, ending_of
from sandbox.engine.interpreter import is_readable_by_all
from sandbox.engine.jail import JailSettings, View, python_command
from sandbox.engine.launch import Jailed, Job, launch, starter
from sandbox.engine.limits import jail_rlimits
from sandbox.engine.logs import LogTail
from sandbox.engine.prepared import PreparedMachine, prepare_machine
from sandbox.engine.result import JailUnavailable, OutcomeCode
from sandbox.engine.spec import Limits
from sandbox.engine.wire import FrameReader, decode_message, encode_frame

HELLO_SECONDS = 20
HELLO_BYTES = 4096
CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class OneShotResult:
    """``code`` OK: exit status 0. ``output`` is what it printed, ``log`` its standard error."""

    code: OutcomeCode
    message: str
    output: bytes
    log: str
    wall_seconds: float
    attestation: Attestation

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with status 0."""
        return self.code is OutcomeCode.OK


@dataclass(frozen=True, slots=True)
class OneShot:
    """What to run once."""

    program: Path
    arguments: tuple[str, ...]
    read_only: Mapping[str, Path]
    writable: Path | None
    limits: Limits


# Waits for a released program: its verdict if there is one yet, a message, and what it printed.
Attend = Callable[
    [Jailed, Limits, int, socket.socket, float], tuple[OutcomeCode | None, str, bytes]
]


async def run_once(
    program: Path,
    arguments: Sequence[str] = (),
    *,
    read_only: Mapping[str, Path] | None = None,
    writable: Path | None = None,
    limits: Limits | None = None,
    jail: JailSettings,
) -> OneShotResult:
    """Run ``program`` and wait for it; see ``run_once_blocking``."""
    work = OneShot(program, tuple(arguments), read_only or {}, writable, limits or Limits())
    return await asyncio.to_thread(run_blocking, work, jail)


def run_once_blocking(
    program: Path,
    arguments: Sequence[str] = (),
    *,
    read_only: Mapping[str, Path] | None = None,
    writable: Path | None = None,
    limits: Limits | None = None,
    jail: JailSettings,
) -> OneShotResult:
    """Run ``program``. ``read_only``: files or directories by the name that they have in /input.

    ``writable`` belongs to the jail's uid during the run; afterwards it and all in it belong to
    this process's user again, not writable by others, without setuid bits, whatever happened.
    JailUnavailable when the jail cannot be had.
    """
    work = OneShot(program, tuple(arguments), read_only or {}, writable, limits or Limits())
    return run_blocking(work, jail)


def run_blocking(
    work: OneShot, settings: JailSettings, attend: Attend | None = None
) -> OneShotResult:
    """Start in the thread for starting, then watch from this one, or let ``attend`` do it."""
    machine = starter().submit(prepare_machine, settings).result()
    wire, wire_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    output, output_end = os.pipe2(os.O_CLOEXEC)
    with ExitStack() as closing, wire:
        closing.callback(os.close, output)
        try:
            jailed = starter().submit(start, machine, work, wire_end.fileno(), output_end).result()
        finally:
            wire_end.close()
            os.close(output_end)
        closing.callback(take_back, work.writable)
        closing.callback(reap, jailed)
        began = time.monotonic()
        log = LogTail(jailed.log_fd)
        attestation = release(jailed, machine, work, wire, log)
        code, message, printed = (attend or watch)(jailed, work.limits, output, wire, began)
        jailed.popen.wait()
        log.read()
        if code is None:
            code, message = verdict(jailed, work.limits)
        wall = time.monotonic() - began
        return OneShotResult(code, message, printed, log.take(), wall, attestation)


def start(machine: PreparedMachine, work: OneShot, wire: int, output: int) -> Jailed:
    """The jail, stopped before the program's first line."""
    rlimits = jail_rlimits(work.limits, memory_is_bounded=machine.cgroups is not None)
    rlimits[resource.RLIMIT_CPU] = math.ceil(work.limits.cpu_seconds)
    with ExitStack() as closing:
        job = Job(
            view=view_of(machine, work, closing),
            command=python_command(
                machine.interpreter, "/runtime/once.py", [main_file(work.program), *work.arguments]
            ),
            limits=work.limits,
            rlimits=rlimits,
            stdin=wire,
            stdout=output,
        )
        return launch(machine, job)


def view_of(machine: PreparedMachine, work: OneShot, closing: ExitStack) -> View:
    """Bind what the jail's uid can read; copy in single files that it cannot."""
    binds = {"/runtime": machine.runtime}
    data = {
        inside: open_file(path, closing) for inside, path in program_files(work.program).items()
    }
    for name, path in work.read_only.items():
        if path.is_dir() or is_readable_by_all(path):
            binds[f"/input/{name}"] = path
        else:
            data[f"/input/{name}"] = open_file(path, closing)
    writable = {"/output": work.writable} if work.writable else None
    return View(read_only=binds, writable=writable, data=data)


def program_files(program: Path) -> dict[str, Path]:
    """The program's sources by their place inside: copied in, as they may be root's only."""
    if program.is_dir():
        base = program.parent
        return {f"/program/{path.relative_to(base)}": path for path in program.rglob("*.py")}
    return {f"/program/{program.name}": program}


def main_file(program: Path) -> str:
    """What to execute inside."""
    return f"/program/{program.name}" + ("/__main__.py" if program.is_dir() else "")


def open_file(path: Path, closing: ExitStack) -> int:
    """A descriptor for bubblewrap to read from, closed with the stack."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    closing.callback(os.close, descriptor)
    return descriptor


def release(
    jailed: Jailed, machine: PreparedMachine, work: OneShot, wire: socket.socket, log: LogTail
) -> Attestation:
    """Attest the jail, hand it the writable directory, let the program begin."""
    wire.settimeout(HELLO_SECONDS)
    reader, frames = FrameReader(HELLO_BYTES), list[bytes]()
    while not frames:
        data = wire.recv(HELLO_BYTES)
        if not data:
            jailed.popen.wait()
            log.read()
            raise JailUnavailable(f"the jail ended before it said hello: {log.take().strip()}")
        frames = reader.feed(data)
    hello = decode_message(frames[0]).get("hello", {})
    attestation = demand(attest(jailed, hello), machine.minimum)
    if work.writable and jailed.uid is not None:
        os.chown(work.writable, jailed.uid, jailed.uid)
    wire.sendall(encode_frame(b"{}"))
    return attestation


def watch(
    jailed: Jailed, limits: Limits, output: int, _wire: socket.socket, began: float
) -> tuple[OutcomeCode | None, str, bytes]:
    """What it prints until it ends, or is ended for too much time or output."""
    printed = bytearray()
    while True:
        left = began + limits.wall_seconds - time.monotonic()
        ready, _, _ = select.select([output], [], [], max(left, 0))
        if not ready:
            jailed.kill()
            return (
                OutcomeCode.TIMEOUT,
                f"it ran longer than {limits.wall_seconds:g} s",
                bytes(printed),
            )
        data = os.read(output, CHUNK_BYTES)
        if not data:
            break
        printed += data
        if len(printed) > limits.output_bytes:
            jailed.kill()
            return (
                OutcomeCode.OUTPUT_LIMIT,
                f"it printed more than {limits.output_bytes} bytes",
                b"",
            )
    return wait_exit(jailed, limits, began, bytes(printed))


def wait_exit(
    jailed: Jailed, limits: Limits, began: float, printed: bytes
) -> tuple[OutcomeCode | None, str, bytes]:
    """It has closed its output; it may still run."""
    left = began + limits.wall_seconds - time.monotonic()
    ready, _, _ = select.select([jailed.monitor_fd], [], [], max(left, 0))
    if ready:
        return None, "", printed
    jailed.kill()
    return OutcomeCode.TIMEOUT, f"it ran longer than {limits.wall_seconds:g} s", printed


def verdict(jailed: Jailed, limits: Limits) -> tuple[OutcomeCode, str]:
    """From the exit status of a program that ended by itself."""
    status = jailed.popen.returncode
    if status == 0:
        return OutcomeCode.OK, ""
    if (
        status in (SIGNAL_BASE + signal.SIGXCPU, SIGNAL_BASE + signal.SIGKILL)
        and not jailed.oom_kills()
    ):
        return OutcomeCode.CPU_LIMIT, f"it used more than {limits.cpu_seconds:g} s of CPU"
    if status < SIGNAL_BASE:
        return OutcomeCode.PLUGIN_ERROR, f"it ended with status {status}"
    ending = ending_of(jailed, limits)
    return ending.code, ending.message


def reap(jailed: Jailed) -> None:
    """Nothing of the jail is left after this."""
    jailed.kill()
    jailed.popen.wait()
    jailed.close()


def take_back(writable: Path | None) -> None:
    """Own what the jail wrote. Links are never followed; the jail is gone, so nobody races."""
    if writable is None or os.geteuid() != 0:
        return
    for _, directories, files, parent in os.fwalk(writable, follow_symlinks=False):
        os.fchown(parent, os.geteuid(), os.getegid())
        os.fchmod(parent, stat.S_IMODE(os.fstat(parent).st_mode) & 0o755)
        for name in (*directories, *files):
            take_back_entry(name, parent)


def take_back_entry(name: str, parent: int) -> None:
    """One file or link, by its directory's descriptor."""
    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    os.chown(name, os.geteuid(), os.getegid(), dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISLNK(mode):
        os.chmod(name, stat.S_IMODE(mode) & 0o755, dir_fd=parent)
