"""Keeps services running until it is told to stop, and stops them in the right order."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.leftovers import record_children
from hotswap.embedded.processes import end_session, tail
from hotswap.embedded.services import CommandService, Service

LONGEST_PAUSE_SECONDS = 30
STEADY_SECONDS = 60
# Something that ends by itself again and again before it was ever ready will not get ready.
DEATHS_AT_START = 3
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM came while something was being prepared."""


@dataclass
class _Watch:
    started: float = 0
    pause: float = 1
    start_again: float | None = None
    deaths: int = 0


@dataclass
class Supervisor:
    """Services in the order in which they were started; they are stopped stage by stage, last
    first.
    """

    children_file: Path
    stages: list[list[Service]] = field(default_factory=list)
    stop_requests: int = 0
    _watches: dict[str, _Watch] = field(default_factory=dict)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let Ctrl-C, SIGTERM and SIGHUP request the stop; the second one stops without waiting."""
        before = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self.stop_requests += 1
        if self.stop_requests == 1 and self.stages:
            print("\nStopping; once more Ctrl-C to stop without waiting.", flush=True)
        elif self.stop_requests > 1:
            self._kill_all()

    def is_stopping(self) -> bool:
        return self.stop_requests > 0

    def raise_if_stopping(self) -> None:
        """Raise StopRequestedError once a stop was requested."""
        if self.is_stopping():
            raise StopRequestedError

    def start_stage(self, *services: Service) -> None:
        """Start ``services``, to be stopped together, before every stage that was there already."""
        self.stages.append([])
        for service in services:
            self.raise_if_stopping()
            self.stages[-1].append(service)
            self._start(service)

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for every command to be ready; raises EmbeddedError with the log of the one that is
        not.
        """
        deadline = time.monotonic() + seconds
        for service in self._all():
            while isinstance(service, CommandService) and not service.is_ready():
                self.raise_if_stopping()
                self.tend()
                if time.monotonic() > deadline:
                    raise EmbeddedError(_explain(service, f"was not ready after {seconds:.0f} s"))
                if self._watches[service.name].deaths == DEATHS_AT_START:
                    raise EmbeddedError(_explain(service, f"ended {DEATHS_AT_START} times"))
                time.sleep(0.1)

    def run(self) -> None:
        """Start again whatever dies, until a stop is requested."""
        while not self.is_stopping():
            self.tend()
            time.sleep(0.2)

    def tend(self) -> None:
        """One look at every service."""
        for service in self._all():
            watch = self._watches[service.name]
            if watch.start_again is not None:
                self._start_when_due(service, watch)
            elif service.process is not None and service.process.poll() is not None:
                self._plan_restart(service, watch)

    def stop(self) -> None:
        """Stop all, stage by stage: within one all are asked before any is waited for."""
        while self.stages:
            stage = self.stages.pop()
            for service in stage:
                service.request_stop()
            for service in stage:
                service.stop()
        self.children_file.unlink(missing_ok=True)

    def _plan_restart(self, service: Service, watch: _Watch) -> None:
        if time.monotonic() - watch.started > STEADY_SECONDS:
            watch.pause = 1
        watch.deaths += 1
        code = service.process.returncode if service.process else None
        print(
            f"{service.name} ended ({_describe(code)}); starting it again in {watch.pause:.0f} s. "
            f"Log: {service.log}",
            flush=True,
        )
        watch.start_again = time.monotonic() + watch.pause
        watch.pause = min(watch.pause * 2, LONGEST_PAUSE_SECONDS)

    def _start_when_due(self, service: Service, watch: _Watch) -> None:
        if watch.start_again is None or time.monotonic() < watch.start_again:
            return
        try:
            self._start(service)
        except EmbeddedError as error:
            print(error, flush=True)
            watch.start_again = time.monotonic() + watch.pause
            watch.pause = min(watch.pause * 2, LONGEST_PAUSE_SECONDS)

    def _start(self, service: Service) -> None:
        service.start()
        watch = self._watches.setdefault(service.name, _Watch())
        watch.started, watch.start_again = time.monotonic(), None
        record_children(self.children_file, [one.process.pid for one in self._all() if one.process])

    def _kill_all(self) -> None:
        for service in self._all():
            if service.process is not None:
                end_session(service.process.pid)

    def _all(self) -> list[Service]:
        return [service for stage in self.stages for service in stage]


def _explain(service: Service, what: str) -> str:
    return f"{service.name} {what}. Its log {service.log} ends:\n{tail(service.log)}"


def _describe(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
