"""A tenant's installations with the version that serves each, and why it is that one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from deployments.models import Admission, Hold, Route
from plugins.models import PluginVersion
from tenants.models import Tenant, TenantPluginConfig, TenantSecret

Place = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Serving:
    """``reason`` is one of held, pinned, candidate, stable, killed, disabled or nothing."""

    version: PluginVersion | None
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class InstalledRow:
    installation: TenantPluginConfig
    serving: Serving
    settings_count: int


def installed_plugins(tenant: Tenant, now: datetime) -> list[InstalledRow]:
    routes = _routes(tenant)
    holds = _holds(tenant)
    admitted = _admitted(tenant)
    return [
        InstalledRow(
            each,
            _serving(each, routes.get(_place(each)), holds.get(_place(each)), admitted, now),
            len(each.config) if isinstance(each.config, dict) else 0,
        )
        for each in _installations(tenant)
    ]


def _serving(
    installation: TenantPluginConfig,
    route: Route | None,
    hold: Hold | None,
    admitted: set[UUID],
    now: datetime,
) -> Serving:
    """The order of DESIGN section 2: kill-switch, pin, hold, admission, stable."""
    if not installation.is_enabled or not installation.plugin.is_active:
        return Serving(None, "disabled", "Calls answer that the plugin is disabled.")
    if route is not None and route.is_killed:
        return Serving(None, "killed", "An administrator has stopped it for everybody.")
    pin_ends = installation.pin_expires_at
    if installation.pinned_version and (pin_ends is None or pin_ends > now):
        return Serving(installation.pinned_version, "pinned", installation.pin_reason)
    if hold is not None:
        return Serving(hold.version, "held", hold.reason)
    return _serving_by_route(route, admitted)


def _serving_by_route(route: Route | None, admitted: set[UUID]) -> Serving:
    if route is not None and route.candidate and route.deployment_id in admitted:
        return Serving(route.candidate, "candidate", "A deployment is trying it with you.")
    if route is not None and route.stable:
        return Serving(route.stable, "stable", "What everybody gets there.")
    return Serving(None, "nothing", "No version has been deployed there yet.")


def _place(row: TenantPluginConfig | Route | Hold) -> Place:
    return row.plugin_id, row.environment_id


def _installations(tenant: Tenant) -> list[TenantPluginConfig]:
    # Of a secret nothing but its name and date is read.
    secrets = TenantSecret.objects.for_tenant(tenant).only("key", "updated_at", "installation_id")
    return list(
        TenantPluginConfig.objects.for_tenant(tenant)
        .select_related("plugin", "environment", "pinned_version")
        .prefetch_related(Prefetch("secrets", secrets.order_by("key")))
        .order_by("plugin__name", "environment__position")
    )


def _routes(tenant: Tenant) -> dict[Place, Route]:
    plugins = TenantPluginConfig.objects.for_tenant(tenant).values("plugin")
    routes = Route.objects.filter(plugin__in=plugins).select_related("stable", "candidate")
    return {_place(route): route for route in routes}


def _holds(tenant: Tenant) -> dict[Place, Hold]:
    holds = Hold.objects.for_tenant(tenant).filter(cleared_at__isnull=True)
    return {_place(hold): hold for hold in holds.select_related("version")}


def _admitted(tenant: Tenant) -> set[UUID]:
    admissions = Admission.objects.for_tenant(tenant).filter(closed_at__isnull=True)
    return set(admissions.values_list("deployment_id", flat=True))
