"""Children of a launcher that was ended by kill -9: told to stop by the kernel, perhaps not gone
yet.
"""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from hotswap.embedded.processes import end_session

PATIENCE_SECONDS = 15


def record_children(file: Path, pids: Iterable[int]) -> None:
    """Write down ``pids`` with their start times, so that a reused number is not taken for one."""
    file.write_text("".join(f"{pid} {_started(pid)}\n" for pid in pids))


def end_leftovers(file: Path) -> list[int]:
    """End the children in ``file``, by force if need be, and return their numbers."""
    living = _living(file)
    found = list(living)
    for pid in living:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while living and time.monotonic() < deadline:
        time.sleep(0.1)
        living = [pid for pid in living if pid in _living(file)]
    for pid in living:
        end_session(pid)
    file.unlink(missing_ok=True)
    return found


def _living(file: Path) -> list[int]:
    if not file.exists():
        return []
    recorded = [line.split() for line in file.read_text().splitlines()]
    return [int(pid) for pid, started in recorded if _started(int(pid)) == started]


def _started(pid: int) -> str:
    """When ``pid`` was started, in clock ticks since boot; ``gone`` for one that is not there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]
