"""Who needs a version as it was approved, so that its approval must not end under them."""

from django.db.models import Q

from deployments.models import Deployment, Hold, Route
from deployments.models.deployment import ACTIVE
from hotswap.lib.database import scope_all
from plugins.models import PluginVersion
from tenants.models import TenantPluginConfig


def find_use(version: PluginVersion) -> str | None:
    """``runs in qa`` or the like: what an instance may load at any moment; None if nothing."""
    roles = Q(stable=version) | Q(candidate=version) | Q(warm=version)
    route = Route.objects.filter(roles).select_related("environment").first()
    if route:
        return f"runs in {route.environment}"
    rows = Deployment.objects.filter(Q(candidate=version) | Q(incumbent=version))
    deployment = rows.filter(status__in=ACTIVE).select_related("environment").first()
    if deployment:
        return f"is being deployed to {deployment.environment}"
    with scope_all():
        if TenantPluginConfig.objects.filter(pinned_version=version).exists():
            return "is pinned by a tenant"
        if Hold.objects.filter(version=version, cleared_at__isnull=True).exists():
            return "is kept for a tenant"
    return None
