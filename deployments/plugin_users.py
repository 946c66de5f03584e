"""Who uses a plugin: what keeps it from being deleted, and whom its deprecation is told."""

from typing import Any

from django.dispatch import receiver

from deployments.models import Deployment, Route
from hotswap.lib.database import scope_all
from observability.audit import record_for_tenants
from plugins.models import Plugin
from plugins.signals import deprecation_changed, plugin_ending
from tenants.models import TenantPluginConfig

SHOWN = 5


@receiver(plugin_ending)
def name_uses(plugin: Plugin, **_: Any) -> list[str]:
    """What keeps a plugin: where it runs, who has it installed or pinned, and its history."""
    with scope_all():
        return [*_routed(plugin), *_installed(plugin), *_deployed(plugin)]


@receiver(deprecation_changed)
def tell_tenants(plugin: Plugin, by: Any, action: str, **said: Any) -> None:
    """An event in the audit of every tenant that has the plugin enabled."""
    with scope_all():
        users = TenantPluginConfig.objects.filter(plugin=plugin).enabled()
        tenants = list(users.values_list("tenant_id", flat=True).distinct())
    record_for_tenants(
        tenants,
        actor=by.get_username(),
        action=action,
        object_type="plugin",
        object_id=plugin.name,
        before=said.get("before"),
        after=said.get("after"),
    )


def _routed(plugin: Plugin) -> list[str]:
    routes = Route.objects.filter(plugin=plugin).order_by("environment__position")
    found = routes.values_list("environment__name", "stable__version", "candidate__version")
    return [
        f"{version} runs in {environment}" if version else f"{environment} has a route to it"
        for environment, *versions in found
        for version in [next(filter(None, versions), None)]
    ]


def _installed(plugin: Plugin) -> list[str]:
    rows = TenantPluginConfig.objects.filter(plugin=plugin)
    kinds = (
        ("pinned", rows.filter(pinned_version__isnull=False)),
        ("enabled", rows.filter(is_enabled=True)),
        ("kept, though disabled,", rows.filter(is_enabled=False)),
    )
    return [f"{kind} by {_named(found)}" for kind, found in kinds if found.exists()]


def _named(rows: Any) -> str:
    pairs = rows.order_by("tenant__slug", "environment__position")
    first = pairs.values_list("tenant__slug", "environment__name")[:SHOWN]
    more = rows.count() - SHOWN
    named = ", ".join(f"{slug} in {environment}" for slug, environment in first)
    return f"{named} and {more} more" if more > 0 else named


def _deployed(plugin: Plugin) -> list[str]:
    count = Deployment.objects.filter(plugin=plugin).count()
    return [f"{count} deployment{'s' if count > 1 else ''} in its history"] if count else []
