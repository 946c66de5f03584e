"""A whole system of real processes, and the steps of a journey through it."""

import json
from pathlib import Path

from django.core.files.base import ContentFile

from bench.load import Caller, Load, Plan
from deployments.models import TERMINAL, Deployment, Instance, Route
from deployments.services import start_deployment
from plugins.services import approve_version, register_plugin, upload_version
from tenants.services import enable_installation, set_quotas
from tests.artifacts import plugin_zip
from tests.factories import environment, make_api_key, make_tenant, make_user
from tests.processes import Process, Processes
from tests.waiting import wait_until

PLUGIN = "echo"
SOURCE = """\
import os
import time

from hotswap_plugin import Plugin


class Echo(Plugin):
    calls = 0

    def echo(self, ctx, text=""):
        Echo.calls += 1
        return {"text": text, "version": ctx.version, "calls": Echo.calls}

    def nap(self, ctx, seconds=0.0):
        time.sleep(seconds)
        return {"slept": seconds}

    def reveal(self, ctx):
        return {"secrets": dict(ctx.secrets)}
"""
CRASHES_AT_IMPORT = "raise RuntimeError('this version cannot be imported')\n"
FAILS_SOMETIMES = SOURCE.replace(
    "        Echo.calls += 1\n",
    "        Echo.calls += 1\n"
    "        if text and hash(text) % 10 < 3:\n"
    "            raise ValueError('this text is not for me')\n",
)
METHODS = {
    "echo": {
        "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}},
        "examples": [{"parameters": {"text": ""}}],
    },
    "nap": {
        "input_schema": {"type": "object", "properties": {"seconds": {"type": "number"}}},
        "timeout_seconds": 2,
    },
    "reveal": {"input_schema": {"type": "object"}},
}
SECRETS = {"token": {"mode": "value"}}


class World:
    """People, one plugin and its tenants in ``qa``, and the processes that serve them."""

    def __init__(self, processes: Processes, *, tenants: int = 4) -> None:
        self.processes = processes
        self.ada = make_user("ada", is_admin=True)
        self.bob = make_user("bob", role="Developer")
        self.carol = make_user("carol", role="Approver")
        self.alice = make_user("alice")
        self.environment = environment("qa")
        self.tenants = [make_tenant(f"tenant-{n}", owner=self.alice) for n in range(tenants)]
        self.keys = {
            tenant.slug: make_api_key(tenant=tenant, created_by=self.ada)[1]
            for tenant in self.tenants
        }
        self.plugin = register_plugin(name=PLUGIN, summary="Says what it hears", by=self.bob)
        for tenant in self.tenants:
            self.install(tenant)

    def install(self, tenant, env="qa"):
        installation = enable_installation(
            tenant=tenant, plugin=self.plugin, environment=environment(env), by=self.ada
        )
        return set_quotas(
            installation=installation, requests_per_minute=100_000, concurrency=64, by=self.ada
        )

    def start(self, *instances: str) -> None:
        """Everything; ``self.web`` and so on are the processes."""
        self.instances = {name: self.processes.start_instance(name) for name in instances}
        self.web = self.processes.start_web()
        self.worker = self.processes.start_worker()
        self.beat = self.processes.start_beat()

    def upload(self, version: str, source: str = SOURCE):
        artifact = plugin_zip(
            {"echo.py": source}, version=version, methods=METHODS, secrets=SECRETS
        )
        return upload_version(
            plugin=self.plugin, file=ContentFile(artifact, name="echo.zip"), by=self.bob
        )

    def publish(self, version: str, source: str = SOURCE):
        return approve_version(version=self.upload(version, source), by=self.carol)

    def deploy(self, version, *, env="qa", **options) -> Deployment:
        return start_deployment(
            plugin=self.plugin,
            environment=environment(env),
            candidate=version,
            strategy="direct",
            options={"bake_seconds": 2, **options},
            by=self.bob,
        )

    def finish(self, deployment: Deployment, seconds: float = 60) -> Deployment:
        """Wait until the deployment has ended, however it ended."""

        def ended():
            deployment.refresh_from_db()
            return deployment.status in TERMINAL

        wait_until(ended, seconds, what=f"the end of {deployment}")
        return deployment

    def run(self, version, **options) -> Deployment:
        return self.finish(self.deploy(version, **options))

    def stable(self) -> str:
        route = Route.objects.get(plugin=self.plugin, environment=self.environment)
        return route.stable.version

    def load(self, *, rate: float = 100, clients: int = 4, targets=None) -> Load:
        """Calls of every tenant at every instance, until it is stopped."""
        body = json.dumps({"method": "echo", "parameters": {"text": "call {call}"}})
        callers = tuple(Caller(slug, PLUGIN, key, body) for slug, key in self.keys.items())
        urls = targets or tuple(instance.url for instance in self.instances.values())
        return Load(Plan(urls, callers, clients=clients, rate=rate, seconds=120))

    def plugin_processes(self, instance: Process) -> list[int]:
        """Host pids of the interpreters inside the jails of an instance."""
        return [pid for pid in _descendants(instance.pid) if _runs_python(pid)]

    def instance_row(self, name: str) -> Instance:
        return Instance.objects.get(name=name, environment=self.environment)


def _descendants(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            children = [int(child) for child in task.read_text().split()]
            found += children
            queue += children
    return found


def _runs_python(pid: int) -> bool:
    try:
        return "python" in Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return False
