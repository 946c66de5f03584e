"""The instances as people see them: who is alive, what each has loaded, how far behind it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Prefetch, Q, QuerySet

from deployments.alarms import alarms_by_instance
from deployments.models import Instance, IntegrityAlarm, Placement, PlacementState
from deployments.reports import LIVE_SECONDS
from plugins.models import PluginVersion
from plugins.querysets import documents_of

LIVE = timedelta(seconds=LIVE_SECONDS)
KEPT_AFTER_STOP = timedelta(minutes=10)
KEPT_AFTER_SILENCE = timedelta(hours=24)
SHOWN = 100


@dataclass(frozen=True, slots=True)
class InstanceView:
    """``behind`` counts the generations that the environment is ahead."""

    instance: Instance
    state: str
    placements: tuple[Placement, ...]
    behind: int
    alarms: tuple[IntegrityAlarm, ...] = ()


def instances_seen(now: datetime) -> list[InstanceView]:
    """Live ones, those that went silent in the last day and those that have just stopped."""
    instances = list(_instances(now)[:SHOWN])
    alarms = alarms_by_instance(instances, now)
    return [_view(each, now, alarms.get(each.pk, ())) for each in instances]


def live_count(views: Iterable[InstanceView], environment_id: int) -> int:
    return sum(
        view.instance.environment_id == environment_id and view.state not in ("silent", "stopped")
        for view in views
    )


def state_of(instance: Instance, now: datetime) -> str:
    if instance.stopped_at:
        return "stopped"
    if now - instance.heartbeat_at > LIVE:
        return "silent"
    if instance.is_cordoned:
        return "cordoned"
    return "live" if instance.is_ready else "loading"


def _instances(now: datetime) -> QuerySet[Instance]:
    loaded = (
        Placement.objects.exclude(state=PlacementState.STOPPED)
        .select_related("version__plugin")
        .defer(*documents_of("version"))
        .order_by("version__plugin__name", "-version__sort_key")
    )
    return (
        Instance.objects.filter(
            Q(stopped_at__isnull=True, heartbeat_at__gt=now - KEPT_AFTER_SILENCE)
            | Q(stopped_at__gt=now - KEPT_AFTER_STOP)
        )
        .select_related("environment")
        .prefetch_related(Prefetch("placements", loaded))
        .order_by("environment__position", "name")
    )


def _view(instance: Instance, now: datetime, alarms: tuple[IntegrityAlarm, ...]) -> InstanceView:
    # Of an earlier boot of the same instance nothing is loaded any more.
    placements = tuple(p for p in instance.placements.all() if p.boot == instance.boot)
    behind = max(instance.environment.generation - instance.acked_generation, 0)
    return InstanceView(instance, state_of(instance, now), placements, behind, alarms)


def loaded_placements(now: datetime, versions: Iterable[PluginVersion]) -> QuerySet[Placement]:
    """Where these versions are loaded, on instances that have been heard of lately."""
    return live_placements(now).filter(version__in=list(versions))


def live_placements(now: datetime) -> QuerySet[Placement]:
    """What is loaded, or about to be, on instances that have been heard of lately."""
    return (
        Placement.objects.filter(
            boot=F("instance__boot"),
            instance__stopped_at__isnull=True,
            instance__heartbeat_at__gt=now - LIVE,
        )
        .exclude(state=PlacementState.STOPPED)
        .select_related("instance__environment")
        .order_by("instance__environment__position", "instance__name")
    )
