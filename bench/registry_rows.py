"""A registry as large as DESIGN section 9 asks for, written in bulk."""

import hashlib
from argparse import Namespace
from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.utils import timezone

from deployments.models import Deployment, DeploymentStep, Instance, Placement, Route, Status
from observability.models import AuditEvent
from plugins.models import Account, Environment, Plugin, PluginVersion, VersionStatus
from plugins.querysets import sort_key
from plugins.versions import Version
from tenants.models import Tenant, TenantMember, TenantPluginConfig

BATCH = 2_000
OWNERS = 20
INSTANCES = 4
TYPES = ("general", "billing", "search", "storage")


def seed_registry(options: Namespace) -> User:
    """Plugins with versions, tenants on the first plugin, their history; returns an Admin."""
    ada = User.objects.create_user("ada", is_superuser=True, is_staff=True)
    people = [_developer(number) for number in range(OWNERS)]
    plugins = _plugins(options.plugins, people)
    newest = _versions(plugins, options.versions)
    _tenants(options.tenants, plugins, ada)
    _history(plugins, newest)
    return ada


def _developer(number: int) -> User:
    user = User.objects.create_user(f"developer-{number}")
    user.groups.add(Group.objects.get(name="Developer"))
    Account.objects.get_or_create(user=user)
    return user


def _plugins(count: int, people: list[User]) -> list[Plugin]:
    rows = [
        Plugin(
            name=f"plugin-{number:05}",
            summary=f"Does the work of number {number} for everybody who asks",
            type=TYPES[number % len(TYPES)],
            tags=[f"tag-{number % 50}", TYPES[number % len(TYPES)]],
            owner=people[number % len(people)],
            is_deprecated=number % 10 == 9,
            is_active=number % 25 != 24,
        )
        for number in range(count)
    ]
    return Plugin.objects.bulk_create(rows, batch_size=BATCH)


def _versions(plugins: list[Plugin], count: int) -> list[PluginVersion]:
    """The newest of each plugin, of ``count``."""
    newest = []
    for plugin in plugins:
        rows = [_version(plugin, f"1.{minor}.0") for minor in range(count)]
        newest.append(PluginVersion.objects.bulk_create(rows)[-1])
    return newest


def _version(plugin: Plugin, version: str) -> PluginVersion:
    digest = hashlib.sha256(f"{plugin.name} {version}".encode()).hexdigest()
    methods = {f"method-{n}": {"input": {"type": "object"}, "output": {}} for n in range(5)}
    return PluginVersion(
        plugin=plugin,
        version=version,
        sort_key=sort_key(Version(version)),
        status=VersionStatus.APPROVED,
        artifact_digest=digest,
        artifact_bytes=100_000,
        manifest={"name": plugin.name, "version": version, "methods": methods},
        manifest_digest=digest,
        uploaded_by_id=plugin.owner_id,
    )


def _tenants(count: int, plugins: list[Plugin], ada: User) -> None:
    """All have the first plugin, the first has the first 500, and as many members."""
    place = Environment.objects.get(name="qa")
    rows = [
        Tenant(slug=f"tenant-{n:05}", name=f"Tenant {n}", home_environment=place)
        for n in range(count)
    ]
    tenants = Tenant.objects.bulk_create(rows, batch_size=BATCH)
    pairs = [(tenant, plugins[0]) for tenant in tenants]
    pairs += [(tenants[0], plugin) for plugin in plugins[1:500]]
    TenantPluginConfig.objects.bulk_create(
        [TenantPluginConfig(tenant=t, plugin=p, environment=place) for t, p in pairs],
        batch_size=BATCH,
    )
    users = User.objects.exclude(username="AnonymousUser")
    TenantMember.objects.bulk_create([TenantMember(tenant=tenants[0], user=u) for u in users])
    events = [
        AuditEvent(actor=ada.username, action="plugin.updated", object_type="plugin", object_id="x")
        for _ in range(count)
    ]
    AuditEvent.objects.bulk_create(events, batch_size=BATCH)


def _history(plugins: list[Plugin], newest: list[PluginVersion]) -> None:
    place, now = Environment.objects.get(name="qa"), timezone.now()
    Route.objects.bulk_create(
        [
            Route(plugin=plugin, environment=place, stable=version)
            for plugin, version in zip(plugins, newest, strict=True)
        ]
    )
    deployments = Deployment.objects.bulk_create(
        [
            Deployment(
                plugin=version.plugin,
                environment=place,
                candidate=version,
                strategy="direct",
                status=Status.COMPLETED,
                requested_by_id=version.uploaded_by_id,
                finished_at=now - timedelta(minutes=number),
            )
            for number, version in enumerate(newest * 2)
        ]
    )
    DeploymentStep.objects.bulk_create(
        [
            DeploymentStep(deployment=d, position=n, kind="probe")
            for d in deployments
            for n in (1, 2)
        ]
    )
    _instances(place, newest[:50])


def _instances(place: Environment, versions: list[PluginVersion]) -> None:
    now = timezone.now()
    for number in range(INSTANCES):
        instance = Instance.objects.create(
            name=f"i-{number}",
            environment=place,
            boot=uuid4(),
            public_address="http://127.0.0.1:1",
            internal_address="unix:/nowhere.sock",
            is_ready=True,
            started_at=now,
            heartbeat_at=now + timedelta(hours=1),
        )
        Placement.objects.bulk_create(
            [
                Placement(
                    instance=instance,
                    version=version,
                    boot=instance.boot,
                    state="ready",
                    updated_at=now,
                )
                for version in versions
            ]
        )
