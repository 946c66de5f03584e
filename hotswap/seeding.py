"""The people, tenants and first plugins of a demo system, made once and never twice.

Passwords come from the file that ``./dev up`` made. Tenants' keys are made here, at random, and
written to ``tenant-keys.json`` in the home directory, readable by its owner only. Everything goes
through the same services as the API.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.utils import timezone

from deployments.services import start_deployment
from hotswap.lib.roles import Role
from plugins.models import Environment, Plugin
from plugins.packing import build_artifact
from plugins.services import approve_version, register_plugin, upload_version
from tenants.keys import issue_key
from tenants.models import MemberRole, Tenant
from tenants.services import add_member, create_tenant, enable_installation, set_quotas

PEOPLE: dict[str, Role | None] = {
    "ada": None,
    "bob": Role.DEVELOPER,
    "carol": Role.APPROVER,
    "alice": None,
    "mallory": None,
}
ADMIN = "ada"
OWNERS = {"globex": "mallory"}
TENANTS = (
    *("acme", "globex", "initech", "umbra", "northwind", "contoso", "fabrikam", "tailspin"),
    *("wingtip", "litware", "proseware", "adatum", "lamna", "margie", "trey", "woodgrove"),
    *("humongous", "lucerne", "relecloud", "southridge", "alpine", "bellows", "cohovine", "fourth"),
)
FIRST_PLUGINS = (("webhook-signer", "1.0.0"), ("text-insights", "1.0.0"))
EXAMPLES = Path(settings.BASE_DIR) / "examples"
CALLS_PER_MINUTE = 60_000
CALLS_AT_A_TIME = 64


def seed(passwords: dict[str, str]) -> None:
    """Make what is missing; ``passwords`` are by the names of PEOPLE."""
    people = {name: _person(name, role, passwords[name]) for name, role in PEOPLE.items()}
    environment = Environment.objects.get(name="qa")
    keys = _read_keys()
    for slug in TENANTS:
        _tenant(slug, environment, people, keys)
    _write_keys(keys)
    for name, version in FIRST_PLUGINS:
        _plugin(name, version, environment, people)


def keys_file() -> Path:
    """Where the tenants' keys are, by slug."""
    return Path(settings.HOTSWAP_HOME) / "tenant-keys.json"


def _read_keys() -> dict[str, str]:
    path = keys_file()
    return json.loads(path.read_text()) if path.exists() else {}


def _write_keys(keys: dict[str, str]) -> None:
    new = keys_file().with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file, indent=2)
    new.replace(keys_file())


def _person(name: str, role: Role | None, password: str) -> User:
    user, created = User.objects.get_or_create(
        username=name,
        defaults={
            "email": f"{name}@example.com",
            "is_superuser": name == ADMIN,
            "is_staff": name == ADMIN,
        },
    )
    if created or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def _tenant(
    slug: str, environment: Environment, people: dict[str, User], keys: dict[str, str]
) -> None:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        admin = people[ADMIN]
        tenant = create_tenant(slug=slug, name=slug.title(), home_environment=environment, by=admin)
        add_member(
            tenant=tenant, user=people[OWNERS.get(slug, "alice")], by=admin, role=MemberRole.OWNER
        )
    if slug not in keys:
        _, keys[slug] = issue_key(
            name="demo",
            tenant=tenant,
            scopes=["invoke"],
            expires_at=timezone.now() + timedelta(days=365),
            by=people[ADMIN],
        )


def _plugin(name: str, version: str, environment: Environment, people: dict[str, User]) -> None:
    if Plugin.objects.filter(name=name).exists():
        return
    plugin = register_plugin(name=name, summary=f"The {name} example", by=people["bob"])
    artifact = ContentFile(build_artifact(EXAMPLES / name / version), name=f"{name}.zip")
    uploaded = upload_version(plugin=plugin, file=artifact, by=people["bob"])
    approve_version(version=uploaded, by=people["carol"], comment="part of the demo")
    for tenant in _some_tenants():
        installation = enable_installation(
            tenant=tenant, plugin=plugin, environment=environment, by=people[ADMIN]
        )
        set_quotas(
            installation=installation,
            requests_per_minute=CALLS_PER_MINUTE,
            concurrency=CALLS_AT_A_TIME,
            by=people[ADMIN],
        )
    start_deployment(
        plugin=plugin,
        environment=environment,
        candidate=uploaded,
        strategy="direct",
        options={},
        by=people["bob"],
    )


def _some_tenants() -> Iterator[Tenant]:
    yield from Tenant.objects.filter(slug__in=TENANTS[:4])
