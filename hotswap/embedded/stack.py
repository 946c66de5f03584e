"""Everything of one machine: the two servers, and HotSwap's own processes on them."""

from dataclasses import dataclass
from pathlib import Path

from hotswap.embedded.commands import (
    DATABASE_ROLES,
    beat_command,
    instance_command,
    process_environment,
    web_command,
    worker_command,
)
from hotswap.embedded.home import Home
from hotswap.embedded.ports import first_free_port
from hotswap.embedded.postgres import Postgres
from hotswap.embedded.readiness import answers, log_says
from hotswap.embedded.services import CommandService
from hotswap.embedded.sockets import socket_directory
from hotswap.embedded.valkey import Valkey

HOST = "127.0.0.1"
INSTANCE_PORTS_FROM = 8100
# Calls in flight may last as long as the longest method is allowed to.
DRAIN_SECONDS = 40


@dataclass(frozen=True)
class InstanceAddress:
    """Where one plugin host listens: ``port`` for callers, ``internal`` for the other processes."""

    name: str
    environment: str
    port: int
    internal: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


class Stack:
    """The services of ``home``; making it starts nothing."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.postgres = Postgres(home.path / "postgres", home.log("postgres"))
        self.valkey = Valkey(home.path / "valkey", home.run, home.log("valkey"), persistent=True)
        self.settings = home.settings(self.valkey.url)

    def environment(self, kind: str) -> dict[str, str]:
        """The environment of an owner, web, worker, beat or instance process."""
        url = self.postgres.url(DATABASE_ROLES[kind])
        pool = {"HOTSWAP_DATABASE_POOL": "true"} if kind == "web" else {}
        return process_environment(kind, {**self.settings, **pool}, url)

    def web(self, port: int) -> CommandService:
        return self._service("web", "web", web_command(port), lambda: answers((HOST, port)))

    def worker(self) -> CommandService:
        ready = log_says(self.home.log("worker"), b" ready.")
        return self._service("worker", "worker", worker_command(), ready)

    def beat(self) -> CommandService:
        ready = log_says(self.home.log("beat"), b"beat: Starting")
        return self._service("beat", "beat", beat_command(self.home.run / "beat"), ready)

    def instance(self, address: InstanceAddress) -> CommandService:
        listen = f"{HOST}:{address.port}"
        command = instance_command(address.name, address.environment, listen, address.internal)
        service = self._service(
            "instance", address.name, command, lambda: answers(address.internal)
        )
        service.stop_seconds = DRAIN_SECONDS
        return service

    def addresses(self, count: int, environment: str = "qa") -> list[InstanceAddress]:
        """Addresses for instances i-1, i-2, … with a free port each."""
        sockets = socket_directory(self.home.run)
        found: list[InstanceAddress] = []
        for number in range(1, count + 1):
            name = f"i-{number}"
            port = first_free_port(INSTANCE_PORTS_FROM, {address.port for address in found})
            found.append(InstanceAddress(name, environment, port, sockets / f"{name}.sock"))
        return found

    def _service(self, kind: str, name: str, command: list[str], ready) -> CommandService:  # type: ignore[no-untyped-def]
        return CommandService(name, command, self.environment(kind), self.home.log(name), ready)
