"""Reads the calls that instances counted: one row a second, summed up by the hour later."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from observability.models import CallWindow, TenantHour
from observability.rollup import HOUR
from observability.totals import WindowTotals, add_up


def totals(version_id: UUID, environment: str, since: datetime, until: datetime) -> WindowTotals:
    """The calls of one version in the seconds from ``since`` up to, not including, ``until``."""
    rows = CallWindow.objects.filter(
        version_id=version_id, environment=environment, second__gte=since, second__lt=until
    )
    return add_up(_read(row) for row in rows.iterator())


def totals_by_version(
    plugin_id: UUID, environment: str, since: datetime, until: datetime
) -> dict[UUID, WindowTotals]:
    """The same for every version of a plugin that was called."""
    rows = CallWindow.objects.filter(
        plugin_id=plugin_id, environment=environment, second__gte=since, second__lt=until
    )
    parts: dict[UUID, list[WindowTotals]] = {}
    for row in rows.iterator():
        parts.setdefault(row.version_id, []).append(_read(row))
    return {version_id: add_up(found) for version_id, found in parts.items()}


def tenant_rates(
    version_ids: Collection[UUID], environment: str, since: datetime, until: datetime
) -> dict[str, tuple[int, int]]:
    """Calls and failures of each tenant over a long time: hours, and the seconds of the last two.

    ``since`` is taken back to its full hour where hours are read.
    """
    # The hour before may not be summed up yet.
    whole = until.replace(minute=0, second=0, microsecond=0) - HOUR
    rates = _hourly_rates(version_ids, environment, since, whole)
    for version_id in version_ids:
        last = totals(version_id, environment, max(since, whole), until)
        for tenant, (calls, failures) in last.tenants.items():
            before = rates.get(tenant, (0, 0))
            rates[tenant] = (before[0] + calls, before[1] + failures)
    return rates


def _hourly_rates(
    version_ids: Collection[UUID], environment: str, since: datetime, until: datetime
) -> dict[str, tuple[int, int]]:
    first = since.replace(minute=0, second=0, microsecond=0)
    rows = TenantHour.objects.filter(
        version_id__in=list(version_ids), environment=environment, hour__gte=first, hour__lt=until
    )
    summed = rows.values("tenant_id").annotate(all=Sum("calls"), bad=Sum("failures"))
    return {str(row["tenant_id"]): (row["all"], row["bad"]) for row in summed}


def _read(row: CallWindow) -> WindowTotals:
    return WindowTotals(
        calls=row.calls,
        failures=row.failures,
        outcomes=row.outcomes,
        histogram={int(bucket): count for bucket, count in row.latencies.items()},
        tenants={tenant: (calls, failures) for tenant, (calls, failures) in row.tenants.items()},
    )
