"""Whether a process answers over HTTP, asked with nothing but a socket."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def answers(address: tuple[str, int] | Path, path: str = "/readyz") -> bool:
    """Whether ``GET path`` at a host and port, or at a Unix socket, gives 200."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with suppress(OSError), socket.socket(family) as client:
        client.settimeout(3)
        client.connect(str(address) if isinstance(address, Path) else address)
        client.sendall(request.encode())
        return b" 200 " in client.recv(64).split(b"\r\n")[0] + b" "
    return False


def log_says(log: Path, words: bytes) -> Callable[[], bool]:
    """Whether ``log`` got a line with ``words`` since this was called."""
    start = log.stat().st_size if log.exists() else 0

    def says() -> bool:
        with suppress(OSError), log.open("rb") as file:
            file.seek(start)
            return words in file.read()
        return False

    return says
