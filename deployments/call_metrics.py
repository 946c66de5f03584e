"""The calls of a plugin in numbers, over a window of the last seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from observability.histogram import quantile
from observability.totals import WindowTotals, add_up
from observability.windows import totals_by_version
from plugins.models import Environment, Plugin, PluginVersion
from tenants.models import TenantPluginConfig


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Latencies are None without a call; ``error_rate`` is from 0 to 1."""

    calls: int
    failures: int
    error_rate: float
    calls_per_second: float
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PluginMetrics:
    plugin: str
    environment: str
    window_seconds: int
    overall: CallFigures
    versions: Mapping[str, CallFigures]


def plugin_metrics(
    plugin: Plugin, environment: Environment, window_seconds: int, now: datetime
) -> PluginMetrics:
    """Of all calls in the last ``window_seconds`` whole seconds, by version and together."""
    since = now - timedelta(seconds=window_seconds)
    found = totals_by_version(plugin.pk, environment.name, since, now)
    names = dict(PluginVersion.objects.filter(pk__in=found).values_list("pk", "version"))
    return PluginMetrics(
        plugin=plugin.name,
        environment=environment.name,
        window_seconds=window_seconds,
        overall=_figures(add_up(found.values()), window_seconds),
        versions={
            names.get(pk, str(pk)): _figures(counted, window_seconds)
            for pk, counted in found.items()
        },
    )


def calls_this_minute(installation: TenantPluginConfig, now: datetime) -> int:
    """What the tenant has used of its minute, as far as instances have reported it."""
    since = now.replace(second=0, microsecond=0)
    found = totals_by_version(installation.plugin_id, installation.environment.name, since, now)
    tenant = str(installation.tenant_id)
    return sum(counted.tenants.get(tenant, (0, 0))[0] for counted in found.values())


def _figures(counted: WindowTotals, seconds: int) -> CallFigures:
    p50, p95, p99 = (
        quantile(counted.histogram, share) if counted.calls else None for share in (0.5, 0.95, 0.99)
    )
    return CallFigures(
        calls=counted.calls,
        failures=counted.failures,
        error_rate=counted.failures / counted.calls if counted.calls else 0.0,
        calls_per_second=counted.calls / seconds,
        p50_seconds=p50,
        p95_seconds=p95,
        p99_seconds=p99,
        outcomes=counted.outcomes,
    )
