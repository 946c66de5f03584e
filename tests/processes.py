"""Real web, worker, beat and instance processes for a test, each on this worker's database and
Valkey.
"""

import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from hotswap.embedded.commands import (
    DATABASE_ROLES,
    REPOSITORY,
    beat_command,
    instance_command,
    process_environment,
    web_command,
    worker_command,
)
from hotswap.embedded.ports import any_free_port
from hotswap.embedded.processes import end, end_session, spawn, tail
from hotswap.embedded.readiness import answers
from tests.servers import SETTINGS, database_url
from tests.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 20


def environment_for(kind: str, **extra: str) -> dict[str, str]:
    """The environment of an owner, web, worker, beat or instance process."""
    settings = {**SETTINGS, **extra}
    return process_environment(kind, settings, database_url(DATABASE_ROLES[kind]))


@dataclass
class Process:
    """One started process. ``url`` is its public address, ``internal`` an instance's socket."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    url: str = ""
    internal: Path | None = None

    @property
    def pid(self) -> int:
        return self.popen.pid

    def is_running(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """kill -9 of this process and of those in its session, as when a machine loses it."""
        with suppress(ProcessLookupError):
            self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        end_session(self.pid)

    def stop(self) -> None:
        """SIGTERM, and wait for the graceful end."""
        end(self.popen, seconds=STOP_SECONDS)

    def get(self, path: str) -> httpx.Response:
        """A request to the internal socket of an instance, else to the public address."""
        transport = httpx.HTTPTransport(uds=str(self.internal)) if self.internal else None
        base = "http://instance" if self.internal else self.url
        with httpx.Client(transport=transport, base_url=base, timeout=5) as client:
            return client.get(path)

    def is_ready(self) -> bool:
        """Whether ``/readyz`` says so."""
        return self._answers("/readyz")

    def responds(self) -> bool:
        """Whether ``/healthz`` answers at all: an instance may have nothing loaded yet."""
        return self._answers("/healthz")

    def _answers(self, path: str) -> bool:
        # Not httpx: it forgets to close the socket when nobody listens at its other end yet.
        if self.internal:
            return answers(self.internal, path)
        with suppress(httpx.TransportError):
            return self.get(path).status_code == httpx.codes.OK
        return False


class Processes:
    """Starts processes and ends all of them; ``settings`` are HOTSWAP_* for every one of them."""

    def __init__(self, logs: Path, **settings: str) -> None:
        self.directory = logs
        self.settings = settings
        self.started: list[Process] = []
        self._sockets = tempfile.TemporaryDirectory(prefix="hotswap-sockets-", dir="/tmp")

    def start_web(self, **settings: str) -> Process:
        """The web server on a free port, ready when this returns."""
        port = any_free_port()
        web = self._start("web", "web", web_command(port), f"http://127.0.0.1:{port}", **settings)
        self._wait(web, web.is_ready, "ready")
        return web

    def start_worker(self, name: str = "worker", **settings: str) -> Process:
        """A Celery worker with its pool, consuming when this returns."""
        worker = self._start("worker", name, worker_command(name), **settings)
        self._wait(worker, lambda: b" ready." in worker.log.read_bytes(), "ready")
        return worker

    def start_beat(self, **settings: str) -> Process:
        beat = self._start("beat", "beat", beat_command(self.directory / "beat-state"), **settings)
        self._wait(beat, lambda: b"beat: Starting" in beat.log.read_bytes(), "started")
        return beat

    def start_instance(
        self, name: str = "i-1", environment: str = "qa", *, ready: bool = True, **settings: str
    ) -> Process:
        """A plugin host on a free port; ``ready`` waits until its placements are loaded."""
        port = any_free_port()
        internal = Path(self._sockets.name) / f"{name}.sock"
        command = instance_command(name, environment, f"127.0.0.1:{port}", internal)
        instance = self._start(
            "instance", name, command, f"http://127.0.0.1:{port}", internal, **settings
        )
        self._wait(instance, instance.is_ready if ready else instance.responds, "ready")
        return instance

    def stop_all(self) -> None:
        for process in reversed(self.started):
            process.stop()
        self._sockets.cleanup()

    def logs(self, lines: int = 60) -> str:
        """The end of every log, for the report of a failed test."""
        return "\n".join(
            f"--- {process.name} (pid {process.pid})\n{tail(process.log, lines)}"
            for process in self.started
        )

    def _start(
        self,
        kind: str,
        name: str,
        command: list[str],
        url: str = "",
        internal: Path | None = None,
        **settings: str,
    ) -> Process:
        log = self.directory / f"{name}-{len(self.started)}.log"
        environment = environment_for(kind, **{**self.settings, **settings})
        popen = spawn(command, log=log, environment=environment, directory=REPOSITORY)
        self.started.append(Process(name, popen, log, url, internal))
        return self.started[-1]

    def _wait(self, process: Process, predicate, what: str) -> None:
        def ended_or_there() -> bool:
            assert process.is_running(), f"{process.name} ended by itself:\n{tail(process.log, 40)}"
            return predicate()

        wait_until(ended_or_there, START_SECONDS, what=f"{process.name} {what}")
