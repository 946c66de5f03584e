"""Which version serves each of a tenant's installations now, and why: the instances' own rule,
asked of the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from deployments.models import Admission, Hold, Route
from deployments.refusals import describe_status
from deployments.routing import Decision, Rule, choose_version
from plugins.models import PluginVersion, VersionStatus
from tenants.models import TenantPluginConfig

Place = tuple[UUID, int]


# It runs on, or must not run any more, where it is what serves a tenant.
_WARNED: Mapping[str, str] = {
    VersionStatus.DEPRECATED: "move to a newer one",
    VersionStatus.YANKED: "it runs on here, but no new pin or deployment takes it",
    VersionStatus.REVOKED: "calls are refused until another version is pinned or deployed",
}


@dataclass(frozen=True, slots=True)
class Serving:
    """``version`` is None where no call gets through; ``detail`` is for a person."""

    version: PluginVersion | None
    why: Rule
    detail: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why somebody should move on from the version, though it may run."""
        if self.version is None or self.version.status not in _WARNED:
            return ()
        return (f"{describe_status(self.version)}; {_WARNED[self.version.status]}",)


@dataclass(frozen=True, slots=True)
class _Plugin:
    """A route as the rule wants it."""

    is_killed: bool
    is_active: bool
    stable_id: str | None
    candidate_id: str | None
    admitted: frozenset[str]
    holds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Installed:
    is_enabled: bool
    pinned_version_id: str | None
    pin_expires_at: float | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """The rows about the installations of one tenant, read at once."""

    routes: Mapping[Place, Route]
    holds: Mapping[Place, Hold]
    admitted: frozenset[UUID]
    now: datetime


def serving_of(installation: TenantPluginConfig) -> Serving:
    return serving_of_all([installation])[installation.pk]


def serving_of_all(installations: Iterable[TenantPluginConfig]) -> dict[UUID, Serving]:
    """By the installation's key. All must be one tenant's; reads three tables once each."""
    rows = list(installations)
    if not rows:
        return {}
    facts = _read_facts(rows)
    return {row.pk: _serving(row, facts) for row in rows}


def _read_facts(rows: list[TenantPluginConfig]) -> _Facts:
    tenant, plugins = rows[0].tenant_id, [row.plugin_id for row in rows]
    routes = Route.objects.filter(plugin__in=plugins).select_related(
        "stable__plugin", "candidate__plugin"
    )
    holds = Hold.objects.filter(tenant=tenant, cleared_at__isnull=True).select_related(
        "version__plugin"
    )
    admissions = Admission.objects.filter(tenant=tenant, closed_at__isnull=True)
    return _Facts(
        routes={(route.plugin_id, route.environment_id): route for route in routes},
        holds={(hold.plugin_id, hold.environment_id): hold for hold in holds},
        admitted=frozenset(admissions.values_list("deployment_id", flat=True)),
        now=timezone.now(),
    )


def _serving(row: TenantPluginConfig, facts: _Facts) -> Serving:
    route = facts.routes.get((row.plugin_id, row.environment_id))
    hold = facts.holds.get((row.plugin_id, row.environment_id))
    tenant = str(row.tenant_id)
    expires = row.pin_expires_at.timestamp() if row.pin_expires_at else None
    decision = choose_version(
        _as_plugin(row, route, hold, facts.admitted),
        tenant,
        _Installed(row.is_enabled, _text(row.pinned_version_id), expires),
        facts.now.timestamp(),
    )
    versions = (row.pinned_version, hold and hold.version, route and route.candidate)
    known = [each for each in (*versions, route and route.stable) if each]
    version = next((each for each in known if str(each.pk) == decision.version_id), None)
    return Serving(version, decision.rule, _detail(decision, row, route, hold))


def _as_plugin(
    row: TenantPluginConfig, route: Route | None, hold: Hold | None, admitted: frozenset[UUID]
) -> _Plugin:
    tenant = str(row.tenant_id)
    return _Plugin(
        is_killed=route is not None and route.is_killed,
        is_active=row.plugin.is_active,
        stable_id=_text(route.stable_id) if route else None,
        candidate_id=_text(route.candidate_id) if route else None,
        admitted=frozenset({tenant} if route and route.deployment_id in admitted else ()),
        holds={tenant: str(hold.version_id)} if hold else {},
    )


def _detail(
    decision: Decision, row: TenantPluginConfig, route: Route | None, hold: Hold | None
) -> str:
    return {
        Rule.KILLED: "an Admin has stopped the plugin for everybody",
        Rule.DISABLED: "the installation is disabled",
        Rule.PIN: row.pin_reason,
        Rule.HOLD: hold.reason if hold else "",
        Rule.ADMISSION: f"deployment {route.deployment_id}" if route else "",
        Rule.UNDEPLOYED: "nothing was deployed there yet",
    }.get(decision.rule, "")


def _text(key: UUID | None) -> str | None:
    return None if key is None else str(key)
