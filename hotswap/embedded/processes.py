"""Child processes that never outlive their parent, each with its own log file."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ATTACH = Path(__file__).with_name("attach.py")


def spawn(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    orphan_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own; output is appended to ``log``.

    When the calling thread ends, even by kill -9, the child gets ``orphan_signal``: call it from
    the main thread.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    attached = [sys.executable, "-I", "-S", str(ATTACH), str(os.getpid()), str(int(orphan_signal))]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*attached, *(os.fspath(part) for part in command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
        )


def end(
    process: subprocess.Popen[bytes], *, seconds: float, by: signal.Signals = signal.SIGTERM
) -> None:
    """Ask ``process`` to stop, wait, and kill what is left of its session after ``seconds``."""
    if process.poll() is None:
        process.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    end_session(process.pid)
    process.wait()


def end_session(leader: int) -> None:
    """Kill what is left of the group that ``leader`` led: its workers would keep its port."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of ``log``, for an error message."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return f"(no log at {log})"
    return "\n".join(text.splitlines()[-lines:])
