"""``./dev up`` as a person runs it, in a home with spaces and with its port taken."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hotswap.embedded.commands import REPOSITORY
from hotswap.embedded.home import Home
from hotswap.embedded.ports import any_free_port
from tests.waiting import wait_until

START_SECONDS = 240
pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "a home with spaces")


def dev_up(home: Home, *arguments: str, **options) -> subprocess.Popen:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("HOTSWAP")
    }
    return subprocess.Popen(
        ["./dev", "up", *arguments],
        cwd=REPOSITORY,
        env={**inherited, "HOTSWAP_HOME": str(home.path), "HOTSWAP_VENV": sys.prefix},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


@contextmanager
def running(home: Home, *arguments: str):
    process = dev_up(home, *arguments)
    try:
        wait_until(
            lambda: home.read_state() or process.poll() is not None, START_SECONDS, what="readiness"
        )
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)


def children(home: Home) -> list[int]:
    return [int(line.split()[0]) for line in (home.run / "children").read_text().splitlines()]


def test_everything_runs_until_it_is_told_to_stop(home):
    port = any_free_port()
    with socket.create_server(("127.0.0.1", port)), running(home, "--port", str(port)) as process:
        state = home.read_state()
        assert state["web"] != f"http://127.0.0.1:{port}"
        assert httpx.get(f"{state['web']}/readyz").status_code == 200
        assert [instance["name"] for instance in state["instances"]] == ["i-1", "i-2"]

        second, _ = dev_up(home).communicate(timeout=60)
        assert f"HotSwap already runs from {home.path}" in second
        started = children(home)
    assert process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def test_after_kill_9_it_starts_again_with_the_same_passwords(home):
    process = dev_up(home, "--port", str(any_free_port()))
    wait_until(lambda: home.read_state() or process.poll() is not None, START_SECONDS, what="ready")
    before = home.passwords()
    process.kill()
    process.communicate()
    assert home.read_state() == {}

    again, _ = dev_up(home, "--until-ready").communicate(timeout=START_SECONDS)
    assert "Ready after" in again
    assert home.passwords() == before
