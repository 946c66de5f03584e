import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hotswap.embedded.commands import REPOSITORY, process_environment
from hotswap.embedded.errors import EmbeddedError
from hotswap.embedded.readiness import answers, log_says
from hotswap.embedded.services import CommandService
from hotswap.embedded.supervisor import StopRequestedError, Supervisor
from tests.waiting import wait_until


class Launcher:
    """A supervisor in a process of its own, and what happened to its children."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.directory = directory
        self.names = names
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.launcher", str(directory), *names],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
        )
        wait_until(lambda: len(self.events("started")) == len(names), what="the start of all")

    def events(self, what: str) -> list[tuple[str, int]]:
        file = self.directory / "events"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(name, int(pid)) for name, happened, pid in lines if happened == what]

    def pid(self, name: str) -> int:
        return [pid for found, pid in self.events("started") if found == name][-1]


@pytest.fixture
def launch(tmp_path):
    launched = []

    def start(*names: str) -> Launcher:
        launched.append(Launcher(tmp_path, *names))
        return launched[-1]

    yield start
    for launcher in launched:
        launcher.process.kill()
        launcher.process.wait()
        launcher.process.stdout.close()


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_stop_stops_the_last_started_first(launch, how):
    launcher = launch("database", "web", "instance")
    launcher.process.send_signal(how)
    assert launcher.process.wait(20) == 0
    assert [name for name, _ in launcher.events("stopped")] == ["instance", "web", "database"]


def test_kill_9_of_the_supervisor_leaves_nothing_running(launch):
    launcher = launch("one", "two")
    launcher.process.kill()
    for _, pid in launcher.events("started"):
        wait_until(lambda pid=pid: is_gone(pid), what=f"the end of {pid}")


def test_a_child_that_dies_is_started_again(launch):
    launcher = launch("web")
    first = launcher.pid("web")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: launcher.pid("web") != first, what="another web")
    assert b"web ended (SIGKILL)" in launcher.process.stdout.readline()


def test_the_second_request_does_not_wait(launch, tmp_path):
    launcher = launch("stubborn")
    os.kill(launcher.pid("stubborn"), signal.SIGSTOP)
    launcher.process.send_signal(signal.SIGINT)
    wait_until(lambda: b"Stopping" in launcher.process.stdout.readline() or True, what="its answer")
    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(10) == 0
    assert is_gone(launcher.pid("stubborn"))


def service(tmp_path, *arguments, is_ready=lambda: False) -> CommandService:
    command = [sys.executable, *arguments]
    return CommandService("web", command, {}, tmp_path / "web.log", is_ready)


def test_a_service_that_never_gets_ready_is_explained_by_its_log(tmp_path):
    supervisor = Supervisor(tmp_path / "children")
    supervisor.start_stage(service(tmp_path, "-c", "print('no such table', flush=True); input()"))
    try:
        with pytest.raises(EmbeddedError, match="web was not ready"):
            supervisor.wait_until_ready(0)
    finally:
        supervisor.stop()


def test_a_service_that_ends_again_and_again_is_given_up_at_the_start(tmp_path):
    supervisor = Supervisor(tmp_path / "children")
    supervisor.start_stage(service(tmp_path, "-c", "raise SystemExit('no such command')"))
    try:
        with pytest.raises(EmbeddedError, match=r"web ended 3 times(.|\n)*no such command"):
            supervisor.wait_until_ready(60)
    finally:
        supervisor.stop()


def test_waiting_for_readiness_ends_when_a_stop_is_requested(tmp_path):
    supervisor = Supervisor(tmp_path / "children")
    supervisor.start_stage(service(tmp_path, "-c", "input()"))
    supervisor.stop_requests = 1
    try:
        with pytest.raises(StopRequestedError):
            supervisor.wait_until_ready(20)
    finally:
        supervisor.stop()


def test_nothing_answers_where_nobody_listens(tmp_path):
    assert not answers(("127.0.0.1", 1))
    assert not answers(tmp_path / "no.sock")


def test_only_lines_written_since_count(tmp_path):
    log = tmp_path / "worker.log"
    log.write_text("worker ready.\n")
    says = log_says(log, b"ready.")
    assert not says()
    with log.open("a") as file:
        file.write("worker ready.\n")
    assert says()


def test_an_instance_is_not_told_where_the_private_keys_are():
    settings = {"HOTSWAP_HOME": "/srv/hotswap", "HOTSWAP_KEYS_DIR": "/srv/keys"}
    environment = process_environment("instance", settings, "postgres://hotswap_instance@/hotswap")
    assert environment["HOTSWAP_PUBLIC_KEYS_DIR"] == "/srv/keys/public"
    assert "/srv/keys" not in environment["HOTSWAP_KEYS_DIR"]


def test_a_process_gets_no_hotswap_setting_of_the_callers_shell(monkeypatch):
    monkeypatch.setenv("HOTSWAP_DEBUG", "true")
    environment = process_environment("web", {"HOTSWAP_HOME": "/srv/hotswap"}, "postgres:///x")
    assert "HOTSWAP_DEBUG" not in environment
