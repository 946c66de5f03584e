"""What the kernel says about a jailed process.

Read from outside, so the process cannot lie about itself.
"""

import os
from pathlib import Path

from sandbox.engine.attestation import NAMESPACES

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """Direct children, of any thread."""
    try:
        return [
            int(child)
            for task in os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - hundreds of these per second
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except OSError:
        return []


def tree_of(pid: int) -> list[int]:
    """The process and everything below it."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(children_of(current))
    return found


def cpu_seconds_of(pid: int) -> float:
    """CPU time of a jail so far, reaped children included; ``pid`` is its first process."""
    return sum(cpu_ticks(each) for each in tree_of(pid)) / TICKS_PER_SECOND


def cpu_ticks(pid: int) -> int:
    """utime, stime, cutime and cstime; 0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])


def pss_bytes_of(pid: int) -> int:
    """Proportional memory of a jail; what may not be read counts as nothing."""
    total = 0
    for each in tree_of(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def status_of(pid: int) -> dict[str, str]:
    """The fields of /proc/<pid>/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def separate_namespaces(pid: int) -> frozenset[str]:
    """Which namespaces of the process are not this process's own."""
    return frozenset(
        name
        for name in NAMESPACES
        if Path(f"/proc/{pid}/ns/{name}").readlink() != Path(f"/proc/self/ns/{name}").readlink()
    )


def host_uid_of(status: dict[str, str]) -> int:
    """The lowest of real, effective, saved and file system uid.

    One 0 among them is a root process.
    """
    return min(int(field) for field in status["Uid"].split())
