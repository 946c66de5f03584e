"""Which version serves each of a tenant's installations now, and why. For people; calls are routed
by the instances, from their snapshots, by the same rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from deployments.models import Admission, Hold, Route
from plugins.models import PluginVersion
from tenants.models import TenantPluginConfig


class Why(StrEnum):
    """The rule that decided, in the order in which they are asked."""

    DISABLED = "disabled"
    KILLED = "killed"
    PIN = "pin"
    HOLD = "hold"
    CANDIDATE = "candidate"
    STABLE = "stable"
    NOTHING = "nothing_deployed"


@dataclass(frozen=True, slots=True)
class Serving:
    """``version`` is None where no call gets through; ``detail`` is for a person."""

    version: PluginVersion | None
    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Facts:
    """The rows about many installations of one tenant, read at once."""

    routes: dict[tuple[object, int], Route]
    holds: dict[tuple[object, int], Hold]
    admitted: frozenset[object]
    now: datetime


def serving_of(installation: TenantPluginConfig) -> Serving:
    return serving_of_all([installation])[installation.pk]


def serving_of_all(installations: Iterable[TenantPluginConfig]) -> dict[object, Serving]:
    """By the installation's key. All must be one tenant's; reads three tables once each."""
    rows = list(installations)
    if not rows:
        return {}
    facts = _read_facts(rows)
    return {row.pk: _decide(row, facts) for row in rows}


def _read_facts(rows: list[TenantPluginConfig]) -> _Facts:
    tenant, plugins = rows[0].tenant_id, [row.plugin_id for row in rows]
    routes = Route.objects.filter(plugin__in=plugins).select_related("stable", "candidate")
    holds = Hold.objects.filter(tenant=tenant, cleared_at__isnull=True).select_related("version")
    admissions = Admission.objects.filter(tenant=tenant, closed_at__isnull=True)
    return _Facts(
        routes={(route.plugin_id, route.environment_id): route for route in routes},
        holds={(hold.plugin_id, hold.environment_id): hold for hold in holds},
        admitted=frozenset(admissions.values_list("deployment_id", flat=True)),
        now=timezone.now(),
    )


def _decide(row: TenantPluginConfig, facts: _Facts) -> Serving:
    place = (row.plugin_id, row.environment_id)
    route, hold = facts.routes.get(place), facts.holds.get(place)
    refused = _refusal(row, route)
    return refused or _exception(row, hold, facts.now) or _by_route(route, facts.admitted)


def _refusal(row: TenantPluginConfig, route: Route | None) -> Serving | None:
    if not row.is_enabled or not row.plugin.is_active:
        what = "installation" if not row.is_enabled else "plugin"
        return Serving(None, Why.DISABLED, f"the {what} is disabled")
    if route is not None and route.is_killed:
        return Serving(None, Why.KILLED, "the plugin was killed by an Admin")
    return None


def _exception(row: TenantPluginConfig, hold: Hold | None, now: datetime) -> Serving | None:
    if row.pinned_version and (row.pin_expires_at is None or row.pin_expires_at > now):
        return Serving(row.pinned_version, Why.PIN, row.pin_reason)
    return Serving(hold.version, Why.HOLD, hold.reason) if hold else None


def _by_route(route: Route | None, admitted: frozenset[object]) -> Serving:
    if route is not None and route.candidate and route.deployment_id in admitted:
        return Serving(route.candidate, Why.CANDIDATE, f"deployment {route.deployment_id}")
    if route is not None and route.stable:
        return Serving(route.stable, Why.STABLE)
    return Serving(None, Why.NOTHING, "nothing was deployed there yet")
