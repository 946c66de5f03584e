"""Who runs which version of a plugin where, counted: the rule of ``routing`` asked of all tenants
at once, in a fixed number of queries however many there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, F, Q, UUIDField, Value, When

from deployments.instance_views import live_placements
from deployments.models import Admission, Hold, Placement, Route
from plugins.models import Environment, Plugin, PluginVersion
from tenants.models import TenantPluginConfig, TenantStatus

Place = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class VersionUse:
    """``roles`` are stable, candidate, warm; none where only a pin, a hold or an instance keeps it.
    ``tenants`` counts those whose calls it gets.
    """

    version: PluginVersion
    roles: tuple[str, ...]
    tenants: int
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentUse:
    """``route`` is None where only instances still hold a version."""

    environment: Environment
    route: Route | None
    versions: tuple[VersionUse, ...]


def usage_of(plugin: Plugin, now: datetime) -> list[EnvironmentUse]:
    """Every environment where the plugin is routed to or loaded, newest version first."""
    routes = {route.environment_id: route for route in _routes(plugin)}
    tenants = _tenants(plugin, routes, now)
    placements = _placements(plugin, now)
    roles = _roles(routes)
    places = {*tenants, *placements, *roles}
    uses: dict[int, list[VersionUse]] = defaultdict(list)
    versions = _versions({version for _, version in places})
    for place in sorted(places, key=lambda place: versions[place[1]].sort_key, reverse=True):
        use = VersionUse(
            versions[place[1]],
            roles.get(place, ()),
            tenants.get(place, 0),
            placements.get(place, ()),
        )
        uses[place[0]].append(use)
    return [
        EnvironmentUse(each, routes.get(each.pk), tuple(uses[each.pk]))
        for each in Environment.objects.filter(pk__in={*routes, *uses})
    ]


def _versions(keys: Iterable[UUID]) -> dict[UUID, PluginVersion]:
    rows = PluginVersion.objects.select_related("plugin")
    return rows.only("plugin__name", "version", "sort_key", "status").in_bulk(keys)


def _routes(plugin: Plugin) -> Iterator[Route]:
    rows = Route.objects.filter(plugin=plugin).select_related("environment", "deployment")
    yield from rows.order_by("environment__position")


def _roles(routes: Mapping[int, Route]) -> Mapping[Place, tuple[str, ...]]:
    found: dict[Place, tuple[str, ...]] = {}
    for environment_id, route in routes.items():
        for role in ("stable", "candidate", "warm"):
            version_id = getattr(route, f"{role}_id")
            if version_id:
                place = (environment_id, version_id)
                found[place] = (*found.get(place, ()), role)
    return found


def _placements(plugin: Plugin, now: datetime) -> Mapping[Place, tuple[Placement, ...]]:
    found: dict[Place, tuple[Placement, ...]] = defaultdict(tuple)
    for placement in live_placements(now).filter(version__plugin=plugin):
        found[placement.instance.environment_id, placement.version_id] += (placement,)
    return found


def _tenants(plugin: Plugin, routes: Mapping[int, Route], now: datetime) -> Mapping[Place, int]:
    rows = (
        TenantPluginConfig.objects.enabled()
        .filter(plugin=plugin, tenant__status=TenantStatus.ACTIVE)
        .annotate(serves=Case(*_rules(plugin, routes, now), output_field=UUIDField()))
        .exclude(serves=None)
        .values_list("environment_id", "serves")
        .annotate(tenants=Count("pk"))
        .order_by()
    )
    return {(environment_id, version): tenants for environment_id, version, tenants in rows}


def _rules(plugin: Plugin, routes: Mapping[int, Route], now: datetime) -> Iterator[When]:
    """Pin, hold, admission, stable: the first that applies decides."""
    in_force = Q(pin_expires_at=None) | Q(pin_expires_at__gt=now)
    yield When(in_force, pinned_version__isnull=False, then=F("pinned_version_id"))
    holds = Hold.objects.filter(plugin=plugin, cleared_at=None)
    for environment_id, version_id in holds.values_list("environment", "version").distinct():
        held = holds.filter(environment=environment_id, version=version_id).values("tenant")
        yield When(environment=environment_id, tenant__in=held, then=Value(version_id))
    for route in routes.values():
        if route.candidate_id:
            admitted = Admission.objects.filter(deployment=route.deployment_id, closed_at=None)
            yield When(
                environment=route.environment_id,
                tenant__in=admitted.values("tenant"),
                then=Value(route.candidate_id),
            )
        yield When(environment=route.environment_id, then=Value(route.stable_id))
