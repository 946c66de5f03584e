"""Memory and process bounds by cgroup, v2 or v1, where this process may make groups.

Absent is a value with a reason.
"""

import os
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sandbox.engine.spec import Limits

MB = 1 << 20
PREFIX = "hotswap-"


class CgroupAbsent(RuntimeError):  # noqa: N818 - the name says what is the matter
    """No bounds by cgroup here; the text says why and what would change it."""


@dataclass(slots=True)
class JailCgroup:
    """The groups of one jail: one directory under v2, one per controller under v1."""

    version: int
    memory: Path
    pids: Path

    def apply(self, limits: Limits) -> None:
        """Write the bounds; swap is out, or the memory bound would not be one."""
        (self.pids / "pids.max").write_text(str(limits.pids + 1))
        if self.version == 2:
            (self.memory / "memory.max").write_text(str(limits.memory_mb * MB))
            write_if_there(self.memory / "memory.swap.max", "0")
            write_if_there(self.memory / "memory.oom.group", "1")
        else:
            (self.memory / "memory.limit_in_bytes").write_text(str(limits.memory_mb * MB))
            write_if_there(self.memory / "memory.memsw.limit_in_bytes", str(limits.memory_mb * MB))
            write_if_there(self.memory / "memory.swappiness", "0")

    def add(self, pid: int) -> None:
        """Move a process in, before it has children."""
        for directory in {self.memory, self.pids}:
            (directory / "cgroup.procs").write_text(str(pid))

    def oom_kills(self) -> int:
        """How often the kernel killed in here for want of memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        try:
            lines = (self.memory / name).read_text().splitlines()
        except OSError:
            return 0
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> bool:
        """True once the groups are gone.

        False while the kernel still holds a dying process in one.
        """
        gone = [remove_group(directory) for directory in {self.memory, self.pids}]
        return all(gone)


@dataclass(slots=True)
class CgroupParent:
    """Where this process makes the groups of its jails."""

    version: int
    memory: Path
    pids: Path
    _numbers: "count[int]" = field(default_factory=count)

    def create(self, limits: Limits) -> JailCgroup:
        """New, bounded, empty groups."""
        name = f"jail-{next(self._numbers)}"
        group = JailCgroup(self.version, self.memory / name, self.pids / name)
        for directory in {group.memory, group.pids}:
            directory.mkdir(parents=True)
        group.apply(limits)
        return group

    def remove(self) -> None:
        """At the end of this process."""
        for directory in {self.memory, self.pids}:
            remove_group(directory)


def find_parent(root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> CgroupParent:
    """Make the parent groups of this process, after clearing those that dead ones left.

    CgroupAbsent if impossible.
    """
    paths = own_groups((proc / "self/cgroup").read_text())
    unified = root / paths.get("", "/").lstrip("/")
    try:
        if "memory" in paths and "pids" in paths:
            bases = [own_directory(root, name, paths[name]) for name in ("memory", "pids")]
            return parent_in(1, bases[0], bases[1], proc)
        if (unified / "cgroup.controllers").exists():
            group = delegated(unified)
            return parent_in(2, group, group, proc)
    except OSError as error:
        raise CgroupAbsent(
            f"no group can be made in {error.filename}: {error.strerror}. Run as root, or give "
            "this service a cgroup of its own (systemd: Delegate=memory pids)"
        ) from None
    raise CgroupAbsent("neither cgroup v2 nor the v1 controllers memory and pids are mounted")


def own_groups(text: str) -> dict[str, str]:
    """Path by controller from /proc/self/cgroup; the v2 group under the empty name."""
    rows = [line.split(":", 2) for line in text.splitlines()]
    return {name: path for _, names, path in rows for name in names.split(",")}


def own_directory(root: Path, controller: str, path: str) -> Path:
    """This process's v1 group; in a container the mount itself is it."""
    inside = root / controller / path.lstrip("/")
    return inside if inside.is_dir() else root / controller


def delegated(group: Path) -> Path:
    """A v2 group whose children have both controllers.

    This process moves into a leaf, as v2 demands.
    """
    control = group / "cgroup.subtree_control"
    if not {"memory", "pids"} <= set(control.read_text().split()):
        if str(os.getpid()) in (group / "cgroup.procs").read_text().split():
            leaf = group / f"{PREFIX}host"
            leaf.mkdir(exist_ok=True)
            (leaf / "cgroup.procs").write_text(str(os.getpid()))
        control.write_text("+memory +pids")
    return group


def parent_in(version: int, memory: Path, pids: Path, proc: Path) -> CgroupParent:
    """The groups ``hotswap-<pid>-<random>`` of this process.

    Those that dead processes left are removed.
    """
    name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
    for base in {memory, pids}:
        remove_leftovers(base, proc)
        (base / name).mkdir(exist_ok=True)
    if version == 2:
        (memory / name / "cgroup.subtree_control").write_text("+memory +pids")
    return CgroupParent(version, memory / name, pids / name)


def remove_leftovers(base: Path, proc: Path) -> None:
    """A killed host cannot remove its groups; the next one does."""
    for directory in base.glob(f"{PREFIX}[0-9]*"):
        if not (proc / directory.name.split("-")[1]).exists():
            for child in directory.glob("jail-*"):
                remove_group(child)
            remove_group(directory)


def remove_group(directory: Path) -> bool:
    """True when it is gone."""
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def write_if_there(path: Path, text: str) -> None:
    """Files that a kernel without swap accounting does not have."""
    if path.exists():
        path.write_text(text)
