"""The rows that a bench calls on: people, tenants with keys, and versions that serve them."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.utils import timezone

from deployments.models import Route
from plugins.generation import routable_change
from plugins.models import Environment, Plugin, PluginVersion
from plugins.packing import build_artifact
from plugins.services import approve_version, register_plugin, upload_version
from tenants.keys import issue_key
from tenants.services import create_tenant, enable_installation, set_quotas

UNLIMITED = {"requests_per_minute": 1_000_000, "concurrency": 1_000}


@dataclass(frozen=True)
class Population:
    """``keys`` by tenant slug; everybody calls ``plugin`` in ``environment``."""

    ada: User
    bob: User
    carol: User
    environment: Environment
    plugin: Plugin
    keys: dict[str, str]

    def publish(self, directory: Path) -> PluginVersion:
        """Upload the plugin in that directory and approve it."""
        artifact = ContentFile(build_artifact(directory), name=f"{self.plugin.name}.zip")
        version = upload_version(plugin=self.plugin, file=artifact, by=self.bob)
        return approve_version(version=version, by=self.carol)

    def make_stable(self, version: PluginVersion) -> None:
        """Serve it without a deployment."""
        with routable_change(self.environment) as change:
            route, _ = Route.objects.update_or_create(
                plugin=self.plugin, environment=self.environment, defaults={"stable": version}
            )
            change.touch(route)


def populate(plugin: str, *, tenants: int, environment: str = "qa") -> Population:
    """People, one plugin without versions, and tenants that have it installed without limits."""
    ada, bob, carol = (User.objects.create_user(name) for name in ("ada", "bob", "carol"))
    User.objects.filter(pk=ada.pk).update(is_superuser=True, is_staff=True)
    ada.refresh_from_db()
    bob.groups.add(Group.objects.get(name="Developer"))
    carol.groups.add(Group.objects.get(name="Approver"))
    place = Environment.objects.get(name=environment)
    registered = register_plugin(name=plugin, summary="measured", by=bob)
    keys = {}
    for number in range(tenants):
        slug = f"tenant-{number}"
        tenant = create_tenant(slug=slug, name=slug, home_environment=place, by=ada)
        _, keys[slug] = issue_key(
            name="bench",
            tenant=tenant,
            scopes=["invoke"],
            expires_at=timezone.now() + timedelta(days=1),
            by=ada,
        )
        installation = enable_installation(
            tenant=tenant, plugin=registered, environment=place, by=ada
        )
        set_quotas(installation=installation, **UNLIMITED, by=ada)
    return Population(ada, bob, carol, place, registered, keys)
