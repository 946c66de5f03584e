"""Makes a step true: reads what instances report and writes the rows that they follow.

A step is tried again until it holds, by whichever worker; trying it twice changes nothing more.
"""

from datetime import datetime, timedelta
from functools import singledispatch

import structlog
from django.db import DatabaseError
from django.utils import timezone

from deployments import route_changes
from deployments.admissions import find_cohort
from deployments.approvals import count_approvals
from deployments.convergence import wait_for_acks, wait_for_incumbent, wait_for_spares
from deployments.executor import Scene
from deployments.models import Deployment, Instance, Placement
from deployments.outcomes import Done, Failed, NotYet, StepOutcome
from deployments.pauses import PAUSED_SECONDS
from deployments.reports import (
    broken_placements,
    live_instances,
    placements_of,
    unready_instances,
)
from deployments.steps import Approve, Hold, Load, Probe, Promote, Role, Route, Step, Unload
from deployments.watch import find_alarm
from observability.windows import totals

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
LONG_POLL_SECONDS = 30
MAX_SPARES = 16
ACTIVE_WITHIN = timedelta(seconds=60)


class LiveEffects:
    """The effects on real rows. Instances do the rest."""

    def now(self) -> datetime:
        return timezone.now()

    def find_alarm(self, deployment: Deployment) -> str:
        """A candidate that cannot be judged must not keep its traffic. Without the database nothing
        could be done about it either: that is tried again.
        """
        try:
            return find_alarm(deployment, self.now())
        except DatabaseError:
            raise
        except Exception as error:
            logger.exception("guardrails_unreadable", deployment=str(deployment.pk))
            return f"the guardrails cannot judge it: {type(error).__name__}: {error}"

    def perform(self, step: Step, scene: Scene) -> StepOutcome:
        return make_true(step, scene)


@singledispatch
def make_true(step: Step, scene: Scene) -> StepOutcome:
    raise NotImplementedError(type(step).__name__)


@make_true.register
def _load(step: Load, scene: Scene) -> StepOutcome:
    """The acknowledgement comes first: READY from before it may be about to end."""
    route = route_changes.want_candidate(scene.deployment)
    if waiting := wait_for_acks(route, scene):
        return waiting
    live = live_instances(scene.deployment.environment, scene.now)
    placements = placements_of(scene.deployment.candidate, live)
    if broken := broken_placements(placements, scene.row.started_at or scene.now):
        return Failed(f"load failed on {'; '.join(broken)}")
    if missing := unready_instances(placements, live):
        return NotYet(POLL_SECONDS, f"not ready on {', '.join(missing)}")
    return _on_every(live, f"ready on {', '.join(sorted(placements))}")


@make_true.register
def _probe(step: Probe, scene: Scene) -> StepOutcome:
    live = live_instances(scene.deployment.environment, scene.now)
    placements = placements_of(scene.deployment.candidate, live)
    for name, placement in sorted(placements.items()):
        if placement.probe and not placement.probe["ok"]:
            return Failed(f"probe failed on {name}: {_describe_failure(placement)}")
    silent = [i.name for i in live if i.name not in placements or not placements[i.name].probe]
    if silent:
        return NotYet(POLL_SECONDS, f"no answer yet from {', '.join(silent)}")
    return _on_every(live, f"examples answered on {', '.join(sorted(placements))}")


@make_true.register
def _route(step: Route, scene: Scene) -> StepOutcome:
    if step.percent == 0:
        return _route_back(scene)
    if "admitted" not in scene.row.state:
        if waiting := _prepare_spares(step, scene):
            return waiting
        route_changes.admit_share(scene.deployment, scene.row, step.percent)
    admitted = Done(f"{scene.row.state['admitted']} tenants admitted")
    return wait_for_acks(route_changes.route_of(scene.deployment), scene) or admitted


@make_true.register
def _hold(step: Hold, scene: Scene) -> StepOutcome:
    started = scene.row.started_at or scene.now
    seconds = step.seconds + scene.row.state.get(PAUSED_SECONDS, 0)
    left = (started + timedelta(seconds=seconds) - scene.now).total_seconds()
    return NotYet(left) if left > 0 else Done()


@make_true.register
def _approve(step: Approve, scene: Scene) -> StepOutcome:
    given = count_approvals(scene.deployment)
    detail = f"{given} of {step.count} approvals"
    return Done(detail) if given >= step.count else NotYet(LONG_POLL_SECONDS, detail)


@make_true.register
def _promote(step: Promote, scene: Scene) -> StepOutcome:
    return wait_for_acks(route_changes.promote(scene.deployment), scene) or Done()


@make_true.register
def _unload(step: Unload, scene: Scene) -> StepOutcome:
    """Instances drain and end what nothing needs; a later deployment does not wait for that."""
    if step.role is Role.CANDIDATE:
        route_changes.forget_candidate(scene.deployment)
    else:
        route_changes.keep_incumbent_warm(scene.deployment, step.after_seconds)
    return Done()


def _route_back(scene: Scene) -> StepOutcome:
    if scene.deployment.routed_at is None:
        return Done("no tenant had moved")
    if waiting := wait_for_incumbent(scene):
        return waiting
    return wait_for_acks(route_changes.send_all_back(scene.deployment), scene) or Done()


def _prepare_spares(step: Route, scene: Scene) -> NotYet | None:
    """A tenant's first call should meet a process that is already there."""
    if "spares" not in scene.row.state:
        spares = _count_active(step, scene)
        route_changes.want_spares(scene.deployment, scene.row, spares)
    return wait_for_spares(scene, scene.row.state["spares"])


def _count_active(step: Route, scene: Scene) -> int:
    """The tenants of the share who called lately, as far as instances can keep spares for them."""
    deployment, now = scene.deployment, scene.now
    if deployment.incumbent_id is None:
        return 0
    place = deployment.environment.name
    seen = totals(deployment.incumbent_id, place, now - ACTIVE_WITHIN, now).tenants
    cohort = find_cohort(deployment.candidate, deployment.environment, now).first(step.percent)
    return min(len(seen.keys() & set(cohort)), MAX_SPARES)


def _on_every(live: list[Instance], detail: str) -> StepOutcome:
    return Done(detail) if live else NotYet(1, "there is no live instance in the environment")


def _describe_failure(placement: Placement) -> str:
    failures = (placement.probe or {}).get("failures") or [{}]
    first = failures[0]
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{first.get('method', 'the examples')}: {first.get('message', 'no reason')}{more}"
