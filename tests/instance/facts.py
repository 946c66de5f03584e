"""Facts for pure tests, with only what a test cares about given."""

from deployments.instance.facts import (
    Credentials,
    EnvironmentFact,
    InstallationFact,
    KeyFact,
    MemberFact,
    RouteFact,
    Shard,
    Snapshot,
    TenantFact,
    UserFact,
    VersionFact,
)

QA = EnvironmentFact(2, "qa", True)


def route(**fields):
    defaults = {
        "plugin_id": "p",
        "plugin": "echo",
        "is_active": True,
        "is_killed": False,
        "stable_id": "v1",
        "candidate_id": None,
        "deployment_id": None,
        "candidate_spares": 0,
        "warm_id": None,
        "warm_until": None,
    }
    return RouteFact(**defaults | fields)


def installation(tenant="acme", **fields):
    defaults = {
        "id": f"i-{tenant}",
        "tenant_id": tenant,
        "plugin_id": "p",
        "is_enabled": True,
        "config": {},
        "epoch": 1,
        "pinned_version_id": None,
        "pin_expires_at": None,
        "requests_per_minute": None,
        "concurrency": None,
        "has_secrets": False,
    }
    return InstallationFact(**defaults | fields)


def version(version_id="v1", **fields):
    defaults = {
        "id": version_id,
        "plugin_id": "p",
        "plugin": "echo",
        "version": "1.0.0",
        "status": "approved",
        "artifact_digest": "a" * 64,
        "manifest": {},
        "manifest_digest": "m" * 64,
        "lock_digest": "",
        "approval": None,
        "approval_signature": "",
    }
    return VersionFact(**defaults | fields)


def shard(**fields):
    return Shard("p", "echo", **{"route": route(), "versions": {"v1": version()}} | fields)


def credentials(**fields):
    defaults = {
        "number": 5,
        "tenants": {name: TenantFact(name, name, True) for name in ("acme", "globex")},
        "users": {1: UserFact(1, True, False, 3), 2: UserFact(2, True, True, 0)},
        "members": {10: MemberFact(10, "acme", 1, True)},
        "keys": {},
    }
    return Credentials(**defaults | fields)


def key(digest, **fields):
    defaults = {
        "id": "k",
        "digest": digest,
        "tenant_id": "acme",
        "user_id": None,
        "scopes": ("invoke",),
        "expires_at": 2e9,
        "is_revoked": False,
    }
    return KeyFact(**defaults | fields)


def snapshot(generation=7, **fields):
    defaults = {"shards": {"p": shard()}, "credentials": credentials()}
    return Snapshot(QA, generation, **defaults | fields)
