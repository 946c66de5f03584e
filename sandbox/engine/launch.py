"""Start a jail and hand back its handles. Blocking: everything here runs in one thread of its own.

One thread, and for as long as the process lives: the kernel ends a jail when the *thread* that
started it ends (PR_SET_PDEATHSIG), and a large host is better forked off the event loop.
"""

import json
import os
import select
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache

from sandbox.engine.cgroup import JailCgroup
from sandbox.engine.jail import View, jail_arguments
from sandbox.engine.limits import as_argument
from sandbox.engine.prepared import PreparedMachine
from sandbox.engine.result import JailUnavailable
from sandbox.engine.seccomp import open_program
from sandbox.engine.spec import Limits

START_SECONDS = 20


@dataclass(slots=True)
class Jailed:
    """A running jail. ``first`` is the host pid of its first process: killing that ends all inside.

    The owner closes it exactly once, after ``popen`` (bubblewrap outside) was reaped.
    """

    machine: PreparedMachine
    popen: subprocess.Popen[bytes]
    first: int
    first_fd: int
    monitor_fd: int
    log_fd: int
    uid: int | None
    cgroup: JailCgroup | None
    rlimits: dict[int, int]

    def kill(self) -> None:
        """End the whole pid namespace.

        By descriptor: a number could belong to a stranger by now.
        """
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first_fd, signal.SIGKILL)

    def oom_kills(self) -> int:
        """How often the kernel killed in this jail for want of memory."""
        return self.cgroup.oom_kills() if self.cgroup else 0

    def close(self) -> bool:
        """Give everything back.

        False while the kernel still holds the cgroup: remove that later.
        """
        for descriptor in (self.first_fd, self.monitor_fd, self.log_fd):
            os.close(descriptor)
        if self.uid is not None and self.machine.uids is not None:
            self.machine.uids.release(self.uid)
        return self.cgroup.remove() if self.cgroup else True


@cache
def starter_of(_pid: int) -> ThreadPoolExecutor:
    """By process id, because a fork has no threads of its parent."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="jail-start")


def starter() -> ThreadPoolExecutor:
    """The thread of this process in which ``launch`` has to run."""
    return starter_of(os.getpid())


class Gate:
    """The descriptors through which bubblewrap tells its child's pid and waits to be released."""

    def __init__(self, closing: ExitStack) -> None:
        self.seccomp = open_program()
        self._info, self.info_end = os.pipe2(os.O_CLOEXEC)
        self.block_end, self._block = os.pipe2(os.O_CLOEXEC)
        for descriptor in (self.seccomp, self._info, self.block_end, self._block):
            closing.callback(os.close, descriptor)

    def child_ends(self) -> tuple[int, int, int]:
        """What bubblewrap inherits."""
        return self.seccomp, self.info_end, self.block_end

    def first_pid(self) -> int:
        """The host pid of the jail's first process; ProcessLookupError when bubblewrap gave up."""
        os.close(self.info_end)
        text = b""
        while b"}" not in text:
            ready, _, _ = select.select([self._info], [], [], START_SECONDS)
            part = os.read(self._info, 4096) if ready else b""
            if not part:
                raise ProcessLookupError
            text += part
        return int(json.loads(text)["child-pid"])

    def release(self) -> None:
        """Let the jail go on."""
        os.write(self._block, b"1")


@dataclass(frozen=True, slots=True)
class Job:
    """What to start. The resource limits become the last argument, to be set first of all.

    ``stdin`` becomes fd 0; without ``stdout`` everything printed goes to the log.
    """

    view: View
    command: list[str]
    limits: Limits
    rlimits: dict[int, int]
    stdin: int
    stdout: int | None = None


def launch(machine: PreparedMachine, job: Job) -> Jailed:
    """Start a jail; JailUnavailable with bubblewrap's own words when it cannot be made.

    bubblewrap waits at its ``--block-fd`` until its child is in the cgroup.
    """
    with ExitStack() as undo, ExitStack() as closing:
        log_fd, log_end = os.pipe2(os.O_CLOEXEC)
        closing.callback(os.close, log_end)
        undo.callback(os.close, log_fd)
        os.set_blocking(log_fd, False)
        uid = claim_uid(machine, undo)
        cgroup = machine.cgroups.create(job.limits) if machine.cgroups else None
        if cgroup:
            undo.callback(cgroup.remove)
        gate = Gate(closing)
        popen = start_blocked(machine, job, gate, uid, log_end)
        undo.callback(end, popen)
        try:
            first = gate.first_pid()
            first_fd, monitor_fd = watched(first, popen, cgroup)
        except ProcessLookupError:
            words = said(popen, log_fd)
            raise JailUnavailable(f"bubblewrap could not make the jail: {words}") from None
        gate.release()
        undo.pop_all()
        return Jailed(machine, popen, first, first_fd, monitor_fd, log_fd, uid, cgroup, job.rlimits)


def watched(
    first: int, popen: subprocess.Popen[bytes], cgroup: JailCgroup | None
) -> tuple[int, int]:
    """Put the waiting jail into its cgroup; descriptors of it and of the bubblewrap outside."""
    if cgroup:
        cgroup.add(first)
    return os.pidfd_open(first), os.pidfd_open(popen.pid)


def claim_uid(machine: PreparedMachine, undo: ExitStack) -> int | None:
    """A uid of the machine's pool, given back if the start fails."""
    if machine.uids is None:
        return None
    uid = machine.uids.claim()
    undo.callback(machine.uids.release, uid)
    return uid


def start_blocked(
    machine: PreparedMachine, job: Job, gate: Gate, uid: int | None, log: int
) -> subprocess.Popen[bytes]:
    """bubblewrap with an empty environment, as its own host uid where there is one.

    Empty by execve, not by --clearenv: the jail's first process keeps what it was started with.
    """
    descriptors = {"seccomp": gate.seccomp, "info": gate.info_end, "block": gate.block_end}
    jail = jail_arguments(machine.interpreter, job.view, job.limits, descriptors)
    groups: list[int] | None = None if uid is None else []
    return subprocess.Popen(
        [machine.bwrap, *jail, "--", *job.command, as_argument(job.rlimits)],
        env={},
        cwd="/",
        stdin=job.stdin,
        stdout=log if job.stdout is None else job.stdout,
        stderr=log,
        pass_fds=[*gate.child_ends(), *(job.view.data or {}).values()],
        user=uid,
        group=uid,
        extra_groups=groups,
    )


def end(popen: subprocess.Popen[bytes]) -> None:
    """End a bubblewrap whose jail never came to be."""
    popen.kill()
    popen.wait()


def said(popen: subprocess.Popen[bytes], log_fd: int) -> str:
    """What bubblewrap printed before it gave up."""
    with suppress(subprocess.TimeoutExpired):
        popen.wait(timeout=START_SECONDS)
    try:
        return os.read(log_fd, 4096).decode(errors="backslashreplace").strip() or "it said nothing"
    except BlockingIOError:
        return "it said nothing"
