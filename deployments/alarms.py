"""What instances refused as tampered with: written to the audit log once, shown for a day."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from deployments.models import Instance, IntegrityAlarm
from observability.audit import record_event

logger = structlog.get_logger(__name__)

SHOWN_FOR = timedelta(hours=24)
BATCH = 100


def record_new_alarms() -> int:
    """An audit event for every alarm that has none yet; how many. Safe to run twice at once."""
    with transaction.atomic():
        waiting = IntegrityAlarm.objects.filter(recorded_at=None).select_related(
            "instance__environment", "version__plugin"
        )
        found = list(waiting.select_for_update(of=("self",), skip_locked=True)[:BATCH])
        for alarm in found:
            _record(alarm)
        IntegrityAlarm.objects.filter(pk__in=[alarm.pk for alarm in found]).update(
            recorded_at=timezone.now()
        )
    return len(found)


def recent_alarms(now: datetime) -> QuerySet[IntegrityAlarm]:
    """The newest first. An instance that keeps trying keeps its alarm recent."""
    recent = IntegrityAlarm.objects.filter(last_at__gt=now - SHOWN_FOR)
    return recent.select_related("instance__environment", "version__plugin").order_by("-last_at")


def alarms_by_instance(
    instances: Iterable[Instance], now: datetime
) -> dict[object, tuple[IntegrityAlarm, ...]]:
    """Recent ones of these instances, by the instance's id."""
    found: dict[object, tuple[IntegrityAlarm, ...]] = {}
    for alarm in recent_alarms(now).filter(instance__in=list(instances)):
        found[alarm.instance_id] = (*found.get(alarm.instance_id, ()), alarm)
    return found


def _record(alarm: IntegrityAlarm) -> None:
    logger.error(
        "integrity_alarm_reported",
        instance=alarm.instance.name,
        version=str(alarm.version),
        code=alarm.code,
        detail=alarm.detail,
    )
    record_event(
        actor=f"instance {alarm.instance.name}",
        action="version.tampered",
        object_type="version",
        object_id=str(alarm.version),
        after={
            "environment": alarm.instance.environment.name,
            "instance": alarm.instance.name,
            "code": alarm.code,
            "detail": alarm.detail,
        },
    )
