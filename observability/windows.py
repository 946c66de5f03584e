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


def _read(row: CallWindow) -> WindowTotals:
    return WindowTotals(
        calls=row.calls,
        failures=row.failures,
        outcomes=row.outcomes,
        histogram={int(bucket): count for bucket, count in row.latencies.items()},
        tenants={tenant: (calls, failures) for tenant, (calls, failures) in row.tenants.items()},
    )
