"""What instances report about themselves: who lives, who knows which generation, who has what."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from deployments.models import Instance, Placement, PlacementState
from plugins.models import Environment, PluginVersion

LIVE_SECONDS = 10
EXCUSED_SECONDS = 30


def serving_instances(environment: Environment) -> QuerySet[Instance]:
    """Those that did not stop and were not taken out of service, whether they still live or not."""
    return Instance.objects.filter(
        environment=environment, stopped_at__isnull=True, is_cordoned=False
    )


def live_instances(environment: Environment, now: datetime) -> list[Instance]:
    since = now - timedelta(seconds=LIVE_SECONDS)
    return list(serving_instances(environment).filter(heartbeat_at__gt=since))


def awaited_instances(environment: Environment, generation: int, now: datetime) -> list[str]:
    """Names of those that have yet to say that they serve by this generation.

    A silent one may still be answering calls by what it knew, so it is waited for longer than it
    counts as live.
    """
    since = now - timedelta(seconds=EXCUSED_SECONDS)
    behind = serving_instances(environment).filter(
        heartbeat_at__gt=since, acked_generation__lt=generation
    )
    return list(behind.values_list("name", flat=True))


def excused_instances(
    environment: Environment, generation: int, now: datetime, since: datetime
) -> list[Instance]:
    """Those that were there at ``since``, have been silent for too long, and never knew."""
    silent = serving_instances(environment).filter(
        heartbeat_at__lte=now - timedelta(seconds=EXCUSED_SECONDS),
        heartbeat_at__gt=since - timedelta(seconds=LIVE_SECONDS),
        acked_generation__lt=generation,
    )
    return list(silent)


def placements_of(version: PluginVersion, instances: Iterable[Instance]) -> dict[str, Placement]:
    """Instance name to what it reports; a report of an earlier process of it counts for nothing."""
    rows = Placement.objects.filter(
        version=version, instance__in=list(instances), boot=F("instance__boot")
    )
    return {row.instance.name: row for row in rows.select_related("instance")}


def broken_placements(placements: dict[str, Placement], since: datetime) -> list[str]:
    """Failures reported after ``since``: an older one is about an earlier attempt.

    A line for each reason, with the instances that gave it.
    """
    names: dict[str, list[str]] = {}
    for name, placement in sorted(placements.items()):
        if placement.state == PlacementState.FAILED and placement.updated_at >= since:
            names.setdefault(placement.detail, []).append(name)
    return [f"{', '.join(those)}: {detail}" for detail, those in names.items()]


def unready_instances(placements: dict[str, Placement], instances: Iterable[Instance]) -> list[str]:
    """Names of those that do not report READY."""
    return [
        instance.name
        for instance in instances
        if instance.name not in placements
        or placements[instance.name].state != PlacementState.READY
    ]
