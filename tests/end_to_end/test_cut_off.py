"""Instances answer while nothing else runs, and all is as before when the rest comes back."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from hotswap.embedded.commands import MANAGE, REPOSITORY
from hotswap.embedded.home import Home
from hotswap.embedded.ports import any_free_port
from hotswap.embedded.roles import apply_roles
from hotswap.embedded.stack import Stack
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos

BODY = {"method": "ngrams", "parameters": {"text": "to be or not to be", "size": 2, "limit": 1}}


class Machine:
    """A system of its own, with servers that a test may stop."""

    def __init__(self, home: Path, layers: Path) -> None:
        self.home = Home(home)
        self.home.prepare()
        self.stack = Stack(self.home)
        self.stack.settings["HOTSWAP_LAYERS_DIR"] = str(layers)
        self.stack.postgres.start()
        apply_roles(self.stack.postgres)
        self.stack.valkey.start()
        self.home.passwords()
        self.manage("web", "makekeys")
        self.manage("owner", "migrate", "--no-input")
        self.manage("worker", "seeddemo", "--passwords", str(self.home.passwords_file))
        self.address = self.stack.addresses(1)[0]
        self.web_url = ""
        self.control_plane = self._control_plane()
        self.instance = self.stack.instance(self.address)
        for service in (*self.control_plane, self.instance):
            service.start()
        for service in (*self.control_plane, self.instance):
            wait_until(service.is_ready, 60, what=f"{service.name} ready")

    def _control_plane(self):
        port = any_free_port()
        self.web_url = f"http://127.0.0.1:{port}"
        return [self.stack.web(port), self.stack.worker(), self.stack.beat()]

    def manage(self, kind: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, MANAGE, *arguments],
            env=self.stack.environment(kind),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def call(self, credential: str) -> httpx.Response:
        url = f"{self.address.url}/api/v1/tenants/acme/plugins/text-insights/invoke"
        headers = {"Authorization": f"Bearer {credential}"}
        return httpx.post(url, json=BODY, headers=headers, timeout=10)

    def answers(self, credential: str) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            response = self.call(credential)
            return response if response.status_code == 200 else None
        return None

    def token(self) -> str:
        password = self.home.passwords()["alice"]
        answer = httpx.post(
            f"{self.web_url}/api/v1/auth/token", json={"username": "alice", "password": password}
        )
        return answer.json()["access"]

    def key(self) -> str:
        return json.loads((self.home.path / "tenant-keys.json").read_text())["acme"]

    def cut_off(self) -> None:
        """Stop PostgreSQL, Redis, web, worker and beat."""
        for service in self.control_plane:
            service.request_stop()
            service.stop()
        for server in (self.stack.valkey, self.stack.postgres):
            server.request_stop()
            server.stop()

    def restore(self) -> None:
        self.stack.postgres.start()
        self.stack.valkey.start()
        for service in self.control_plane:
            service.start()
        for service in self.control_plane:
            wait_until(service.is_ready, 60, what=f"{service.name} ready again")

    def restart_instance(self) -> None:
        self.instance.request_stop()
        self.instance.stop()
        self.instance.start()

    def stop(self) -> None:
        for service in (self.instance, *self.control_plane):
            service.request_stop()
        for service in (self.instance, *self.control_plane):
            service.stop()
        self.stack.valkey.stop()
        self.stack.postgres.stop()


@pytest.fixture
def machine(tmp_path):
    # pytest's own directories are closed to the uids of jails.
    with TemporaryDirectory(prefix="hotswap-layers-", dir="/tmp") as layers:
        Path(layers).chmod(0o711)
        started = Machine(tmp_path / "a home", Path(layers))
        yield started
        started.stop()


def test_calls_go_on_without_everything_else_and_all_is_as_before_afterwards(machine):
    key, token = machine.key(), machine.token()
    before = wait_until(lambda: machine.answers(key), 60, what="a first answer")
    assert "X-HotSwap-Stale" not in before.headers

    machine.cut_off()
    stale = wait_until(
        lambda: (found := machine.answers(key)) and "X-HotSwap-Stale" in found.headers and found,
        what="an answer that says how old its snapshot is",
    )
    assert stale.json() == before.json()
    assert machine.call(token).status_code == 200

    machine.restart_instance()
    restarted = wait_until(lambda: machine.answers(key), 60, what="an answer after the restart")
    assert restarted.json() == before.json()
    assert machine.call(token).status_code == 200

    machine.restore()
    fresh = wait_until(
        lambda: (
            (found := machine.answers(key)) and "X-HotSwap-Stale" not in found.headers and found
        ),
        60,
        what="an answer from a fresh snapshot",
    )
    assert fresh.json() == before.json()


def test_the_files_of_an_instance_hold_no_secret_and_no_key(machine):
    key = machine.key()
    wait_until(lambda: machine.answers(key), 60, what="a first answer")
    state = machine.home.path / "instances"
    files = [path for path in state.rglob("*") if path.is_file()]

    assert files
    for path in files:
        assert key.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
