"""One process that the supervisor keeps running."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hotswap.embedded.commands import REPOSITORY
from hotswap.embedded.processes import end, end_session, spawn


class Service(Protocol):
    """What the supervisor starts, watches and stops: a command, PostgreSQL or Valkey."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None

    def start(self) -> None: ...

    def request_stop(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class CommandService:
    """A command with its log; ``is_ready`` tells when others may rely on it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    stop_seconds: float = 20
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.process is not None:
            # Workers of a process that died would keep its port.
            end_session(self.process.pid)
        self.process = spawn(
            self.command, log=self.log, environment=self.environment, directory=REPOSITORY
        )

    def request_stop(self) -> None:
        """Ask it to stop, without waiting."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait for its end, which ``request_stop`` asked for, and kill what is left."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.stop_seconds)
            end(self.process, seconds=0)


def wait_for_end(process: subprocess.Popen[bytes], until: Callable[[], bool]) -> int | None:
    """The exit code of ``process``, or None as soon as ``until`` says so."""
    while process.poll() is None and not until():
        time.sleep(0.05)
    return process.poll()
