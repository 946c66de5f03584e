"""Changes in lower apps that instances, and those whom a version serves, must hear of."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from deployments.kept_versions import find_use
from deployments.models import Route
from hotswap.lib.database import scope_all
from hotswap.lib.errors import ConflictError
from observability.audit import record_event
from plugins.generation import routable_change
from plugins.models import Environment, Plugin, PluginVersion
from plugins.signals import approval_ending, routing_changed, version_withdrawn
from tenants.models import TenantPluginConfig


@receiver(routing_changed)
def touch_routes(plugin: Plugin, **_: Any) -> None:
    """Instances rebuild the plugin, with its versions' states, where anything of it is routed."""
    # In one order everywhere: each environment's row stays locked until the commit.
    for environment in Environment.objects.filter(routes__plugin=plugin).order_by("pk"):
        with routable_change(environment) as change:
            change.touch(Route.objects.filter(plugin=plugin, environment=environment))


@receiver(approval_ending)
def keep_what_runs(version: PluginVersion, **_: Any) -> None:
    """An approval does not end under a version that is in use: instances would drop it."""
    use = find_use(version)
    if use:
        raise ConflictError(
            f"{version} {use}, with the packages that were approved: upload a new version to get "
            "newer ones.",
            code="version_runs",
        )


@receiver(version_withdrawn)
def tell_those_it_serves(version: PluginVersion, by: Any, **_: Any) -> None:
    """An event for each environment that has it routed, and for each tenant that pinned it."""
    what = {"version": version.version, "status": version.status, "reason": version.status_reason}
    roles = Q(stable=version) | Q(candidate=version)
    for route in Route.objects.filter(roles).select_related("environment"):
        record_event(
            actor=by.get_username(),
            action=f"version.{version.status}_in_use",
            object_type="version",
            object_id=str(version),
            after={**what, "environment": route.environment.name},
        )
    with scope_all():
        _tell_tenants(version, by, what)


def _tell_tenants(version: PluginVersion, by: Any, what: dict[str, Any]) -> None:
    pins = TenantPluginConfig.objects.enabled().filter(pinned_version=version)
    for row in pins.select_related("environment").iterator():
        record_event(
            actor=by.get_username(),
            action=f"installation.version_{version.status}",
            object_type="installation",
            object_id=str(row.pk),
            tenant_id=row.tenant_id,
            after={**what, "environment": row.environment.name},
        )
