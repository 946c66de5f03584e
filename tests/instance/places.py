"""Rows, artifacts and instances for the tests of instances; no web, no worker."""

import json
from pathlib import Path

import httpx
from django.core.files.base import ContentFile

from deployments.models import Instance, Placement, Route
from plugins.generation import credential_change, routable_change
from plugins.services import approve_version, register_plugin, upload_version
from tenants.services import enable_installation, set_quotas
from tests.artifacts import plugin_zip
from tests.factories import environment, make_api_key, make_tenant, make_user
from tests.waiting import wait_until

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

    def once(self, ctx, seconds=0.0):
        time.sleep(seconds)
        return {"slept": seconds}

    def reveal(self, ctx):
        return {"secrets": dict(ctx.secrets), "config": dict(ctx.config)}

    def fail(self, ctx):
        raise ValueError("this call is not for me")

    def die(self, ctx):
        os._exit(3)

    def lie(self, ctx):
        return {"number": "not a number"}
"""
METHODS = {
    "echo": {
        "input_schema": {
            "type": "object",
            "properties": {"text": {"type": "string", "maxLength": 100}},
            "additionalProperties": False,
        },
        "examples": [{"parameters": {"text": "hello"}, "expect": {"required": ["text"]}}],
        "idempotent": True,
    },
    "nap": {"input_schema": {"type": "object"}, "timeout_seconds": 1},
    "once": {"input_schema": {"type": "object"}, "timeout_seconds": 5},
    "reveal": {"input_schema": {"type": "object"}},
    "fail": {"input_schema": {"type": "object"}},
    "die": {"input_schema": {"type": "object"}},
    "lie": {
        "input_schema": {"type": "object"},
        "output_schema": {"type": "object", "properties": {"number": {"type": "number"}}},
    },
}
CONFIG = {"schema": {"type": "object", "properties": {"rate": {"type": "number"}}}}
RESOURCES = {"wall_seconds": 5}


class Place:
    """One plugin in ``qa``, tenants with keys, and the instances that a test starts."""

    def __init__(self, processes):
        self.processes = processes
        self.environment = environment("qa")
        self.ada = make_user("ada", is_admin=True)
        self.bob = make_user("bob", role="Developer")
        self.carol = make_user("carol", role="Approver")
        self.plugin = register_plugin(name="echo", summary="Says what it hears", by=self.bob)
        self.tenants, self.keys, self.installations = {}, {}, {}
        for slug in ("acme", "globex"):
            self.add_tenant(slug)

    def add_tenant(self, slug, owner=None):
        tenant = self.tenants[slug] = make_tenant(slug, owner=owner)
        self.keys[slug] = make_api_key(tenant=tenant, created_by=self.ada)[1]
        installation = enable_installation(
            tenant=tenant, plugin=self.plugin, environment=self.environment, by=self.ada
        )
        self.installations[slug] = set_quotas(
            installation=installation, requests_per_minute=100_000, concurrency=64, by=self.ada
        )
        with credential_change() as change:
            change.touch(tenant)

    def publish(self, version, source=SOURCE, **manifest):
        options = {"methods": METHODS, "config": CONFIG, "resources": RESOURCES} | manifest
        artifact = plugin_zip({"echo.py": source}, version=version, **options)
        file = ContentFile(artifact, name="echo.zip")
        row = upload_version(plugin=self.plugin, file=file, by=self.bob)
        return approve_version(version=row, by=self.carol)

    def route(self, **fields):
        """Set fields of the plugin's route under one generation; that number."""
        with routable_change(self.environment) as change:
            route, _ = Route.objects.update_or_create(
                plugin=self.plugin, environment=self.environment, defaults=fields
            )
            change.touch(route)
        return change.number

    def serve(self, version="1.0.0", *instances, **manifest):
        """Publish a version, make it stable, start instances that have it loaded."""
        row = self.publish(version, **manifest)
        self.route(stable=row)
        return row, [self.start(name) for name in instances or ("i-1",)]

    def start(self, name="i-1", **settings):
        return self.processes.start_instance(name, **settings)

    def wait_acked(self, generation, name="i-1"):
        rows = Instance.objects.filter(name=name, acked_generation__gte=generation)
        wait_until(rows.exists, what=f"{name} serves generation {generation}")

    def wait_placed(self, version, name="i-1", state="ready"):
        rows = Placement.objects.filter(instance__name=name, version=version, state=state)
        return wait_until(rows.first, what=f"{version} {state} on {name}")


def call(instance, tenant, key, method="echo", *, timeout=20, headers=(), body=None, **parameters):
    """One invoke at an instance's public address."""
    content = {"method": method, "parameters": parameters} if body is None else body
    return httpx.post(
        f"{instance.url}/api/v1/tenants/{tenant}/plugins/echo/invoke",
        content=content if isinstance(content, bytes) else json.dumps(content),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            **dict(headers),
        },
        timeout=timeout,
    )


def descendants(pid):
    """Every process that was started below ``pid`` and still is."""
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            queue += [int(child) for child in task.read_text().split()]
        found.append(parent)
    return found[1:]
