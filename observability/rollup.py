"""Turns seconds into hours, and forgets what has been turned or is too old.

An hour is summed up anew from its seconds each time, so doing it twice changes nothing; instances
deliver late when the database was away, hence more than the last hour is done.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from observability.models import CallHour, CallWindow, TenantHour

HOUR = timedelta(hours=1)
LATE = timedelta(hours=3)
"""Seconds that arrive later than this after their hour's end are in no hour."""
SECONDS_KEPT = timedelta(hours=26)
TENANT_HOURS_KEPT = timedelta(days=30)
HOURS_KEPT = timedelta(days=400)
DELETED_AT_ONCE = 20_000

_VERSIONS = """
INSERT INTO call_hours
    (environment, plugin_id, version_id, hour, calls, failures, outcomes, latencies)
SELECT w.environment, w.plugin_id, w.version_id, w.hour, w.calls, w.failures,
    coalesce(o.counts, '{}'), coalesce(l.counts, '{}')
FROM (
    SELECT environment, plugin_id, version_id, date_trunc('hour', second) AS hour,
        sum(calls) AS calls, sum(failures) AS failures
    FROM call_windows WHERE second >= %(since)s AND second < %(until)s GROUP BY 1, 2, 3, 4
) w
LEFT JOIN (
    SELECT environment, version_id, hour, jsonb_object_agg(name, count) AS counts FROM (
        SELECT environment, version_id, date_trunc('hour', second) AS hour, name,
            sum(count::bigint) AS count
        FROM call_windows, jsonb_each_text(outcomes) AS each (name, count)
        WHERE second >= %(since)s AND second < %(until)s GROUP BY 1, 2, 3, 4
    ) summed GROUP BY 1, 2, 3
) o USING (environment, version_id, hour)
LEFT JOIN (
    SELECT environment, version_id, hour, jsonb_object_agg(name, count) AS counts FROM (
        SELECT environment, version_id, date_trunc('hour', second) AS hour, name,
            sum(count::bigint) AS count
        FROM call_windows, jsonb_each_text(latencies) AS each (name, count)
        WHERE second >= %(since)s AND second < %(until)s GROUP BY 1, 2, 3, 4
    ) summed GROUP BY 1, 2, 3
) l USING (environment, version_id, hour)
ON CONFLICT (version_id, environment, hour) DO UPDATE SET
    calls = excluded.calls, failures = excluded.failures,
    outcomes = excluded.outcomes, latencies = excluded.latencies
"""
_TENANTS = """
INSERT INTO tenant_hours
    (environment, plugin_id, version_id, tenant_id, hour, calls, failures)
SELECT environment, plugin_id, version_id, tenant::uuid, date_trunc('hour', second),
    sum((counts->>0)::bigint), sum((counts->>1)::bigint)
FROM call_windows, jsonb_each(tenants) AS each (tenant, counts)
WHERE second >= %(since)s AND second < %(until)s GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (version_id, environment, tenant_id, hour) DO UPDATE SET
    calls = excluded.calls, failures = excluded.failures
"""


def roll_up(now: datetime) -> None:
    """Sum up the whole hours that ended lately. Needs the scope of all tenants."""
    until = now.replace(minute=0, second=0, microsecond=0)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_VERSIONS, _TENANTS):
            cursor.execute(statement, {"since": until - LATE, "until": until})


def forget(now: datetime) -> int:
    """Delete what is kept no longer, a batch at a time; returns how many rows went."""
    return (
        _delete(CallWindow.objects.filter(second__lt=now - SECONDS_KEPT))
        + _delete(TenantHour.objects.filter(hour__lt=now - TENANT_HOURS_KEPT))
        + _delete(CallHour.objects.filter(hour__lt=now - HOURS_KEPT))
    )


def _delete(old: QuerySet[Any]) -> int:
    """In batches, so that no statement holds its locks for long."""
    gone = 0
    while True:
        batch = old.model._default_manager.filter(pk__in=old.values("pk")[:DELETED_AT_ONCE])
        deleted, _ = batch.delete()
        gone += deleted
        if deleted < DELETED_AT_ONCE:
            return gone
