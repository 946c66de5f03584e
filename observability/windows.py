"""Reads the calls that instances counted, one row a second."""

from datetime import datetime
from uuid import UUID

from observability.models import CallWindow
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


def _read(row: CallWindow) -> WindowTotals:
    return WindowTotals(
        calls=row.calls,
        failures=row.failures,
        outcomes=row.outcomes,
        histogram={int(bucket): count for bucket, count in row.latencies.items()},
        tenants={tenant: (calls, failures) for tenant, (calls, failures) in row.tenants.items()},
    )
