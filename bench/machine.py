"""Servers and processes of a bench, in a home of its own that ends with it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django

from hotswap.embedded.commands import MANAGE, REPOSITORY
from hotswap.embedded.home import Home
from hotswap.embedded.ports import any_free_port
from hotswap.embedded.roles import apply_roles
from hotswap.embedded.services import CommandService
from hotswap.embedded.stack import Stack

READY_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """PostgreSQL and Valkey run; every service started here is stopped with it."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        self.home.prepare()
        self.stack = Stack(self.home)
        self.stack.settings |= {
            "HOTSWAP_LAYERS_DIR": f"{home}-layers",
            "HOTSWAP_RATE_LIMITS": "off",
        }
        self.services: list[CommandService] = []

    def start_servers(self) -> None:
        """The servers with their tables and keys; from then on this process may use the models."""
        self.stack.postgres.start()
        apply_roles(self.stack.postgres)
        self.stack.valkey.start()
        for kind, command in (("web", "makekeys"), ("owner", "migrate")):
            arguments = [sys.executable, str(MANAGE), command, "--verbosity=0"]
            environment = self.stack.environment(kind)
            subprocess.run(arguments, env=environment, cwd=REPOSITORY, check=True)
        os.environ.update(self.stack.environment("worker"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "hotswap.settings"
        django.setup()

    def start_web(self) -> str:
        """The address of a web server."""
        port = any_free_port()
        self._start(self.stack.web(port))
        return f"http://127.0.0.1:{port}"

    def start_worker(self) -> CommandService:
        return self._start(self.stack.worker())

    def start_beat(self) -> CommandService:
        return self._start(self.stack.beat())

    def start_instances(self, count: int, environment: str = "qa") -> list[tuple[str, int]]:
        """The public address and the process id of each."""
        started = []
        for address in self.stack.addresses(count, environment):
            service = self._start(self.stack.instance(address))
            started.append((address.url, _pid(service)))
        return started

    def _start(self, service: CommandService) -> CommandService:
        service.start()
        self.services.append(service)
        wait_for(service.is_ready, service.name)
        return service

    def stop(self) -> None:
        for service in reversed(self.services):
            service.request_stop()
        for service in reversed(self.services):
            service.stop()
        for server in (self.stack.valkey, self.stack.postgres):
            server.request_stop()
            server.stop()


@contextmanager
def running_machine() -> Iterator[Machine]:
    """A machine with its servers started, gone with everything in it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="hotswap-bench-", dir="/tmp"))
    machine = Machine(directory / "home")
    # Jails run under other uids: they pass through here to the layers, and see nothing else.
    directory.chmod(0o711)
    try:
        machine.start_servers()
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)


def wait_for(predicate: Callable[[], object], what: str, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} was not ready within {seconds:.0f} s")
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of all that descend from it, those that ended included."""
    total, queue = 0.0, [pid]
    while queue:
        each = queue.pop()
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / _TICKS
            for task in Path(f"/proc/{each}/task").glob("*/children"):
                queue += map(int, task.read_text().split())
    return total


def _pid(service: CommandService) -> int:
    if service.process is None:
        raise SystemExit(f"{service.name} does not run")
    return service.process.pid
