"""What a step must wait for until the world agrees with the rows; nothing if it already does."""

from datetime import timedelta

from django.db import transaction

from deployments.events import record_event
from deployments.executor import Scene
from deployments.lease import check_lease
from deployments.models import Deployment, DeploymentEvent, Instance, Route
from deployments.outcomes import NotYet
from deployments.reports import (
    awaited_instances,
    excused_instances,
    live_instances,
    placements_of,
    unready_instances,
)
from plugins.models import VersionStatus

POLL_SECONDS = 0.1
# Spares only make first calls faster: an instance without memory for them must not stop a swap.
SPARES_PATIENCE = timedelta(seconds=2)


def wait_for_acks(route: Route, scene: Scene) -> NotYet | None:
    """Every instance serves by the route's generation, but those that are silent for too long."""
    environment = scene.deployment.environment
    if behind := awaited_instances(environment, route.generation, scene.now):
        return NotYet(POLL_SECONDS, f"waiting for {', '.join(behind)} to follow")
    since = scene.deployment.started_at or scene.now
    for instance in excused_instances(environment, route.generation, scene.now, since):
        _record_excuse(scene.deployment, instance)
    return None


def wait_for_spares(scene: Scene, wanted: int) -> NotYet | None:
    if not wanted or scene.now > (scene.row.started_at or scene.now) + SPARES_PATIENCE:
        return None
    live = live_instances(scene.deployment.environment, scene.now)
    placements = placements_of(scene.deployment.candidate, live)
    missing = [name for name, placement in placements.items() if placement.spares < wanted]
    if missing:
        return NotYet(POLL_SECONDS, f"waiting for {wanted} spares on {', '.join(sorted(missing))}")
    return None


def wait_for_incumbent(scene: Scene) -> NotYet | None:
    """Nobody is sent back to a version that no live instance has ready."""
    incumbent = scene.deployment.incumbent
    live = live_instances(scene.deployment.environment, scene.now)
    if incumbent is None or not live:
        return None
    # It will never be ready again; its tenants are told so, and the candidate must go.
    if incumbent.status == VersionStatus.REVOKED:
        return None
    if len(unready_instances(placements_of(incumbent, live), live)) < len(live):
        return None
    return NotYet(POLL_SECONDS, f"{incumbent} is ready on no instance")


def _record_excuse(deployment: Deployment, instance: Instance) -> None:
    """Once for each instance and deployment, however often the step is tried."""
    known = DeploymentEvent.objects.filter(
        deployment=deployment, kind="instance_excused", data__instance=instance.name
    )
    if known.exists():
        return
    with transaction.atomic():
        check_lease(deployment)
        message = f"{instance.name} has been silent since {instance.heartbeat_at:%H:%M:%S}"
        record_event(deployment, "instance_excused", message, {"instance": instance.name})
