"""The listening sockets of an instance, served by uvicorn on one event loop."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from deployments.instance.exchange import Exchange
from hotswap.lib.errors import InvalidInputError

BACKLOG = 1024
TICKS_BETWEEN_CHECKS = 50
LONGEST_SOCKET_PATH = 107


class Listener(uvicorn.Server):
    """One door. Signals belong to the instance, which has two of them."""

    def __init__(self, app: Any, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=Exchange,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
            )
        )
        self._listening = listening
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would take SIGTERM for itself."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's own, ten times a second."""
        if counter % TICKS_BETWEEN_CHECKS == 0:
            now = time.monotonic()
            for connection in list(self.server_state.connections):
                connection.check(now)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.serve([self._listening]))

    async def finish(self, seconds: float) -> None:
        """Stop accepting, let the requests that are here be answered, close idle connections."""
        self.should_exit = True
        self.config.timeout_graceful_shutdown = max(1, int(seconds))
        if self._task is not None:
            await self._task


def listen_outside(address: str) -> socket.socket:
    """``host:port``; port 0 is any free one."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidInputError(f"{address!r} is not host:port, for example 127.0.0.1:8100.")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), int(port)))
    except OSError as error:
        listening.close()
        raise InvalidInputError(f"Nothing can listen at {address}: {error.strerror}.") from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.listen(BACKLOG)
    return listening


def listen_inside(path: Path) -> socket.socket:
    """A Unix socket that only this user can reach. One that an earlier process left is replaced."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise InvalidInputError(
            f"{path} is longer than the {LONGEST_SOCKET_PATH} bytes of a Unix socket's address: "
            "choose a shorter --internal."
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    listening.listen(BACKLOG)
    return listening


def outside_address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
