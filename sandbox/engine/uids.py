"""A host uid for every jail.

Two HotSwap processes on one machine share a range without meeting, by lock files.

A process locks blocks of uids and hands out from them, oldest release first, so that a uid comes
back as late as possible. The kernel drops the lock when the process dies, however it dies.
"""

import fcntl
import os
from collections import deque
from pathlib import Path

BLOCK = 128
HIGH_RANGE = (
    1_900_000_000,
    1_900_032_767,
)  # above what systemd, containers and directories hand out
LOW_RANGE = (20_000, 52_767)  # for a root whose user namespace maps 65536 uids only


class NoUidLeft(RuntimeError):  # noqa: N818 - the name says what happened
    """Every uid of the range belongs to a jail that runs."""


def default_uid_range(uid_map: Path = Path("/proc/self/uid_map")) -> tuple[int, int] | None:
    """The range for root; None for an ordinary user, whose jails run under the user's own uid."""
    if os.geteuid() != 0:
        return None
    return HIGH_RANGE if is_mapped(HIGH_RANGE[1], uid_map.read_text()) else LOW_RANGE


def is_mapped(uid: int, uid_map: str) -> bool:
    """Whether a line of a uid_map covers the uid."""
    rows = [[int(field) for field in line.split()] for line in uid_map.splitlines()]
    return any(first <= uid < first + count for first, _, count in rows)


class UidPool:
    """Uids of this process alone."""

    def __init__(self, uid_range: tuple[int, int], locks: Path) -> None:
        self._first, self._last = uid_range
        self._locks = locks
        self._free: deque[int] = deque()
        self._held: list[int] = []
        if self._first <= 0:
            raise ValueError("a jail never runs as host uid 0: start the range above it")

    def claim(self) -> int:
        """A uid that no other jail on this machine has."""
        if not self._free:
            self._lock_block()
        return self._free.popleft()

    def release(self, uid: int) -> None:
        """Give a uid back after the last process under it is gone."""
        self._free.append(uid)

    def close(self) -> None:
        """Unlock the blocks."""
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()
        self._free.clear()

    def _lock_block(self) -> None:
        self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        for start in range(self._first, self._last + 1, BLOCK):
            descriptor = lock_file(self._locks / f"{start}.lock")
            if descriptor is not None:
                self._held.append(descriptor)
                self._free.extend(range(start, min(start + BLOCK, self._last + 1)))
                return
        raise NoUidLeft(
            f"all uids from {self._first} to {self._last} are in use: "
            "widen HOTSWAP_JAIL_UIDS or stop an instance"
        )


def lock_file(path: Path) -> int | None:
    """An open descriptor that holds the lock; None when somebody has it, this process included."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
