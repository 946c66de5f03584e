"""Resource limits of a jail.

Chosen here, set inside by the runtime before plugin code, checked here from outside.

They cannot be set from outside everywhere: that needs CAP_SYS_RESOURCE, which containers do not
have.
"""

import resource
from pathlib import Path

from sandbox.engine.spec import Limits

MB = 1 << 20
OPEN_FILES = 128
INTERPRETER_MB = 128  # address space of an idle interpreter: code, arenas, stacks
PROC_NAMES = {
    "Max address space": resource.RLIMIT_AS,
    "Max file size": resource.RLIMIT_FSIZE,
    "Max open files": resource.RLIMIT_NOFILE,
    "Max core file size": resource.RLIMIT_CORE,
    "Max processes": resource.RLIMIT_NPROC,
    "Max locked memory": resource.RLIMIT_MEMLOCK,
    "Max msgqueue size": resource.RLIMIT_MSGQUEUE,
}


def jail_rlimits(limits: Limits, *, memory_is_bounded: bool) -> dict[int, int]:
    """Each resource with its hard and soft limit.

    Address space is the only bound of memory without a cgroup. With one it is a wide second line,
    because threads and native libraries reserve far more than they use.
    """
    address_mb = limits.memory_mb + INTERPRETER_MB
    if memory_is_bounded:
        address_mb = limits.memory_mb * 4 + 1024
    return {
        resource.RLIMIT_AS: address_mb * MB,
        resource.RLIMIT_FSIZE: limits.tmp_mb * MB,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: limits.pids + 2,  # two of bubblewrap's own count too
        resource.RLIMIT_MEMLOCK: 64 << 10,
        resource.RLIMIT_MSGQUEUE: 0,
    }


def as_argument(rlimits: dict[int, int]) -> str:
    """How the runtime is told."""
    return ",".join(f"{name}={value}" for name, value in rlimits.items())


def has_rlimits(pid: int, wanted: dict[int, int]) -> bool:
    """Whether each hard limit of a process is at most what was wanted."""
    return all(limit <= wanted[name] for name, limit in hard_limits(pid).items())


def hard_limits(pid: int) -> dict[int, int]:
    """Of a process of any uid, for the resources that jails bound.

    Unlimited is a very large number.
    """
    found = {}
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        for title, name in PROC_NAMES.items():
            if line.startswith(title):
                hard = line[len(title) :].split()[1]
                found[name] = int(hard) if hard.isdigit() else 1 << 62
    return found
