"""How a plugin does in one environment: what instances report of it, and what its calls say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deployments.models import Instance, Placement, PlacementState, Route
from deployments.reports import live_instances
from observability.totals import WindowTotals
from observability.windows import totals
from plugins.models import Environment, Plugin, PluginVersion


class Verdict(StrEnum):
    """From best to worst; ``unknown``: nobody can tell yet."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Check:
    """``passed`` is None while there is nothing to judge."""

    name: str
    passed: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InstanceHealth:
    instance: str
    state: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class VersionHealth:
    version: str
    role: str
    verdict: Verdict
    performance: Check
    instances: tuple[InstanceHealth, ...]


@dataclass(frozen=True, slots=True)
class PluginHealth:
    """``verdict`` is that of the stable version, or of the candidate while there is none."""

    plugin: str
    environment: str
    verdict: Verdict
    versions: tuple[VersionHealth, ...]


def plugin_health(
    plugin: Plugin, environment: Environment, window_seconds: int, now: datetime
) -> PluginHealth:
    """Of the versions that have a role or are loaded on a live instance."""
    instances = live_instances(environment, now)
    placements = _placements(plugin, instances)
    health = tuple(
        _version_health(version, role, placements.get(version.pk, []), environment, now, window)
        for version, role in _versions(plugin, environment, placements).items()
        for window in [timedelta(seconds=window_seconds)]
    )
    decisive = [each.verdict for each in health if each.role in ("stable", "candidate")]
    verdict = decisive[0] if decisive else Verdict.UNKNOWN
    return PluginHealth(plugin.name, environment.name, verdict, health)


def _placements(plugin: Plugin, instances: Iterable[Instance]) -> dict[object, list[Placement]]:
    boots = {instance.pk: instance.boot for instance in instances}
    rows = Placement.objects.filter(version__plugin=plugin, instance__in=boots)
    rows = rows.exclude(state=PlacementState.STOPPED).select_related("instance", "version")
    found: dict[object, list[Placement]] = {}
    for row in rows.order_by("instance__name"):
        if row.boot == boots[row.instance_id]:
            found.setdefault(row.version_id, []).append(row)
    return found


def _versions(
    plugin: Plugin, environment: Environment, placements: Mapping[object, list[Placement]]
) -> dict[PluginVersion, str]:
    """Version to its role, the stable one first."""
    routes = Route.objects.filter(plugin=plugin, environment=environment)
    route = routes.select_related("stable", "candidate", "warm").first()
    found: dict[PluginVersion, str] = {}
    for role in ("stable", "candidate", "warm"):
        version = getattr(route, role, None)
        if version is not None:
            found.setdefault(version, role)
    for rows in placements.values():
        found.setdefault(rows[0].version, "loaded")
    return found


def _version_health(
    version: PluginVersion,
    role: str,
    placements: list[Placement],
    environment: Environment,
    now: datetime,
    window: timedelta,
) -> VersionHealth:
    performance = _performance(version, totals(version.pk, environment.name, now - window, now))
    instances = tuple(
        InstanceHealth(row.instance.name, row.state, (_startup(row), _examples(row)))
        for row in placements
    )
    return VersionHealth(
        version.version, role, _verdict(performance, instances), performance, instances
    )


def _verdict(performance: Check, instances: tuple[InstanceHealth, ...]) -> Verdict:
    passed = [all(check.passed for check in each.checks) for each in instances]
    failed = [any(check.passed is False for check in each.checks) for each in instances]
    if failed and all(failed):
        return Verdict.UNHEALTHY
    if any(failed) or performance.passed is False:
        return Verdict.DEGRADED
    return Verdict.HEALTHY if passed and all(passed) else Verdict.UNKNOWN


def _startup(row: Placement) -> Check:
    passed = {
        PlacementState.READY: True,
        PlacementState.DRAINING: True,
        PlacementState.FAILED: False,
    }.get(PlacementState(row.state))
    return Check("startup", passed, row.detail)


def _examples(row: Placement) -> Check:
    if row.probe is None:
        return Check("examples", None, "not called yet")
    failures = row.probe.get("failures", [])
    detail = "; ".join(str(failure.get("message", "")) for failure in failures[:3])
    return Check("examples", bool(row.probe.get("ok")), detail)


def _performance(version: PluginVersion, counted: WindowTotals) -> Check:
    """Against the limits that the manifest sets; without one, everything passes."""
    if not counted.calls:
        return Check("performance", None, "no call in the window")
    limits = version.manifest.get("health", {})
    rate, slowest = counted.failures / counted.calls, counted.p99_seconds
    if limits.get("error_rate") is not None and rate > limits["error_rate"]:
        return Check("performance", False, f"{rate:.1%} of the calls fail")
    if limits.get("p99_seconds") is not None and slowest > limits["p99_seconds"]:
        return Check("performance", False, f"p99 is {slowest:.3f} s")
    return Check("performance", True)
