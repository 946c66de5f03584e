"""What somebody may read about deployments: staff all, tenants' people what their tenants use."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from deployments.models import Deployment, Placement
from hotswap.lib.errors import NotFoundError
from hotswap.lib.roles import is_staff
from plugins.models import Environment, Plugin
from plugins.querysets import documents_of
from tenants.models import Tenant, TenantPluginConfig


def own_installations(user: Any) -> "QuerySet[TenantPluginConfig]":
    """Those of the user's tenants, or of the tenant whose key was sent."""
    if user.pk is None:
        return TenantPluginConfig.objects.filter(tenant_id=user.tenant_id)
    return TenantPluginConfig.objects.filter(tenant__in=Tenant.objects.for_member(user))


def visible_deployments(user: Any) -> "QuerySet[Deployment]":
    rows = Deployment.objects.select_related(
        "plugin", "environment", "candidate", "incumbent", "requested_by"
    ).defer(*documents_of("candidate", "incumbent"))
    if is_staff(user):
        return rows
    used = own_installations(user).filter(
        plugin=OuterRef("plugin"), environment=OuterRef("environment")
    )
    return rows.filter(Exists(used))


def visible_placements(user: Any) -> "QuerySet[Placement]":
    rows = Placement.objects.select_related("version__plugin")
    if is_staff(user):
        return rows
    used = own_installations(user).filter(
        plugin=OuterRef("version__plugin"), environment=OuterRef("instance__environment")
    )
    return rows.filter(Exists(used))


def find_visible_plugin(user: Any, name: str, environment: Environment) -> Plugin:
    """The plugin, or ``NotFoundError`` when it is nothing to the user there."""
    plugin = Plugin.objects.filter(name=name).first()
    used = own_installations(user).filter(plugin=plugin, environment=environment)
    if plugin is None or not (is_staff(user) or used.exists()):
        raise NotFoundError(f"There is no plugin {name[:60]!r} for you in {environment}.")
    return plugin
