"""Rows for tests, as plain functions: each makes what it needs and returns the row."""

import hashlib
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.utils import timezone
from packaging.requirements import Requirement

from deployments.models import (
    Deployment,
    Instance,
    Placement,
    PlacementState,
    Route,
    Status,
)
from plugins.jsonvalues import canonical_json
from plugins.models import (
    Account,
    ApiKey,
    CredentialGeneration,
    Environment,
    Plugin,
    PluginDependency,
    PluginVersion,
    VersionStatus,
)
from plugins.storage import ArtifactStore
from tenants.models import MemberRole, Tenant, TenantMember, TenantPluginConfig

PASSWORD = "correct horse battery staple"


def environment(name="qa"):
    return Environment.objects.get(name=name)


def make_user(name, *, role=None, is_admin=False):
    """A user in the group ``role`` (Viewer, Developer, Approver), or an Admin, with PASSWORD."""
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD)
    if is_admin:
        user.is_superuser = user.is_staff = True
        user.save(update_fields=["is_superuser", "is_staff"])
    if role:
        user.groups.add(Group.objects.get(name=role))
    Account.objects.get_or_create(user=user)
    return user


def make_tenant(slug, *, owner=None, home="qa"):
    tenant = Tenant.objects.create(slug=slug, name=slug.title(), home_environment=environment(home))
    if owner:
        TenantMember.objects.create(tenant=tenant, user=owner, role=MemberRole.OWNER)
    return tenant


def make_plugin(name="echo", *, owner=None):
    owner = (
        owner or User.objects.filter(username="bob").first() or make_user("bob", role="Developer")
    )
    return Plugin.objects.create(name=name, summary=f"The {name} plugin", owner=owner)


def minimal_manifest(name, version, **changes):
    """A manifest as it stands in a version's row: one method ``echo`` that takes anything."""
    return {
        "schema_version": 1,
        "name": name,
        "version": version,
        "summary": f"The {name} plugin",
        "entry_point": "echo_plugin:Echo",
        "methods": {"echo": {"input": {"type": "object"}, "output": {}}},
    } | changes


def store_bytes(content):
    """Put something under its digest into the artifact storage; that digest."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return ArtifactStore().save(Path(file.name))


def make_version(
    plugin,
    version="1.0.0",
    *,
    status=VersionStatus.APPROVED,
    manifest=None,
    digest=None,
):
    """A version's row alone; of a draft also an artifact, because whoever approves it reads it."""
    name = f"{plugin.name} {version}"
    if digest is None and status == VersionStatus.DRAFT:
        digest = store_bytes(name.encode())
    digest = digest or hashlib.sha256(name.encode()).hexdigest()
    manifest = manifest or minimal_manifest(plugin.name, version)
    row = PluginVersion.objects.create(
        plugin=plugin,
        version=version,
        sort_key=version,
        status=status,
        artifact_digest=digest,
        artifact_bytes=1000,
        manifest=manifest,
        manifest_digest=hashlib.sha256(canonical_json(manifest)).hexdigest(),
        uploaded_by=plugin.owner,
    )
    for text in manifest.get("dependencies", {}).get("plugins", ()):
        need = Requirement(text)
        PluginDependency.objects.create(version=row, name=need.name, specifier=str(need.specifier))
    return row


def make_installation(tenant, plugin, *, env="qa", **fields):
    return TenantPluginConfig.objects.create(
        tenant=tenant, plugin=plugin, environment=environment(env), **fields
    )


def make_route(plugin, *, stable=None, env="qa", **fields):
    return Route.objects.create(
        plugin=plugin, environment=environment(env), stable=stable, **fields
    )


def make_deployment(
    candidate, *, incumbent=None, env="qa", by=None, status=Status.IN_PROGRESS, **fields
):
    return Deployment.objects.create(
        plugin=candidate.plugin,
        environment=environment(env),
        candidate=candidate,
        incumbent=incumbent,
        strategy=fields.pop("strategy", "direct"),
        status=status,
        requested_by=by or candidate.plugin.owner,
        **fields,
    )


def make_instance(name="i-1", *, env="qa", **fields):
    now = timezone.now()
    defaults = {
        "boot": uuid4(),
        "public_address": "http://127.0.0.1:1",
        "internal_address": f"unix:/nowhere/{name}.sock",
        "public_key": "",
        "is_ready": True,
        "started_at": now,
        "heartbeat_at": now,
    }
    return Instance.objects.create(name=name, environment=environment(env), **(defaults | fields))


def make_placement(instance, version, *, state=PlacementState.READY, **fields):
    defaults = {
        "boot": instance.boot,
        "updated_at": timezone.now(),
        "probe": {"ok": True, "failures": []},
    }
    return Placement.objects.create(
        instance=instance, version=version, state=state, **(defaults | fields)
    )


def make_api_key(*, user=None, tenant=None, created_by=None, scopes=("invoke",), days=30):
    """Returns the row and the key itself, which nothing stores."""
    secret = f"hs_{uuid4().hex[:8]}_{uuid4().hex}{uuid4().hex[:11]}"
    row = ApiKey.objects.create(
        name="test",
        prefix=secret[:11],
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        user=user,
        tenant_id=tenant and tenant.pk,
        scopes=list(scopes),
        created_by=user or created_by or User.objects.first(),
        expires_at=timezone.now() + timedelta(days=days),
    )
    return row, secret


def credentials_number():
    return CredentialGeneration.objects.get(pk=1).number
