"""Every write that changes who is served by which version: one fenced transaction, one generation.

Each sets a state, so doing it twice changes nothing, and a worker that lost its lease changes
nothing at all: the deployment's row is locked and its revision checked first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from deployments.admissions import (
    admit,
    clear_outlived_holds,
    clear_own_holds,
    close_admissions,
    find_cohort,
    hold_offenders,
    hold_tenants,
)
from deployments.lease import check_lease
from deployments.models import Admission, Deployment, DeploymentStep, Route
from plugins.generation import Change, routable_change

# Unload follows Promote at once and sets the real time; this bridges a worker's death between them.
WARM_BEFORE_UNLOAD = timedelta(minutes=10)

ROLES = ("stable", "candidate", "deployment", "candidate_spares", "warm", "warm_until")


@contextmanager
def changed_route(deployment: Deployment) -> Iterator[tuple[Change, Route]]:
    """The plugin's route, saved at the end under the generation that instances then acknowledge."""
    with routable_change(deployment.environment) as change:
        check_lease(deployment)
        route, _ = Route.objects.select_for_update().get_or_create(
            plugin=deployment.plugin, environment=deployment.environment
        )
        yield change, route
        route.save(update_fields=ROLES)
        change.touch(route)
    route.generation = change.number or 0


def route_of(deployment: Deployment) -> Route:
    return Route.objects.get(plugin=deployment.plugin, environment=deployment.environment)


def want_candidate(deployment: Deployment) -> Route:
    """Instances load the candidate; no tenant is routed to it."""
    wanted = {"deployment": deployment, "candidate": deployment.candidate}
    if loaded := Route.objects.filter(**wanted).first():
        return loaded
    with changed_route(deployment) as (_, route):
        route.candidate, route.deployment = deployment.candidate, deployment
        route.candidate_spares = 0
    return route


def want_spares(deployment: Deployment, step: DeploymentStep, spares: int) -> None:
    with changed_route(deployment) as (_, route):
        route.candidate_spares = spares
        _remember(step, "spares", spares)


def admit_share(deployment: Deployment, step: DeploymentStep, percent: int) -> None:
    """The candidate serves the tenants up to that share; those whom it cannot serve are held."""
    with changed_route(deployment) as (change, _):
        _remember(step, "admitted", admit(deployment, step.position, percent, change))
        _note_first_traffic(deployment)


def send_tenants_back(deployment: Deployment, reasons: dict[UUID, str]) -> None:
    """These tenants alone return to the incumbent and are held there."""
    with changed_route(deployment) as (change, _):
        rows = Admission.objects.filter(deployment=deployment, tenant_id__in=list(reasons))
        rows.update(closed_at=timezone.now())
        change.touch(rows)
        hold_tenants(deployment, reasons, change)


def send_all_back(deployment: Deployment) -> Route:
    """The incumbent serves everybody; the candidate stays loaded for calls that still run."""
    route = route_of(deployment)
    is_open = Admission.objects.filter(deployment=deployment, closed_at__isnull=True).exists()
    if route.stable_id == deployment.incumbent_id and not is_open:
        return route
    with changed_route(deployment) as (change, route):
        close_admissions(deployment, change)
        route.stable = deployment.incumbent
        route.candidate, route.deployment = deployment.candidate, deployment
        if route.warm_id == deployment.incumbent_id:
            route.warm = route.warm_until = None
    return route


def promote(deployment: Deployment) -> Route:
    """The candidate is stable: no admitted tenant changes version. The incumbent stays warm."""
    route = route_of(deployment)
    if route.stable_id == deployment.candidate_id:
        return route
    with changed_route(deployment) as (change, route):
        _hold_last_offenders(deployment, change)
        clear_outlived_holds(deployment, change)
        close_admissions(deployment, change)
        route.stable, route.candidate, route.deployment = deployment.candidate, None, None
        route.candidate_spares = 0
        _keep_warm(route, deployment, WARM_BEFORE_UNLOAD)
        _note_first_traffic(deployment)
    return route


def keep_incumbent_warm(deployment: Deployment, seconds: float) -> None:
    with changed_route(deployment) as (_, route):
        _keep_warm(route, deployment, timedelta(seconds=seconds))


def forget_candidate(deployment: Deployment) -> None:
    """Nothing of the deployment is left: instances may let the candidate go."""
    if not Route.objects.filter(deployment=deployment).exists():
        return
    with changed_route(deployment) as (change, route):
        clear_own_holds(deployment, change)
        route.candidate = route.deployment = None
        route.candidate_spares = 0


def _keep_warm(route: Route, deployment: Deployment, how_long: timedelta) -> None:
    route.warm = deployment.incumbent
    route.warm_until = timezone.now() + how_long if deployment.incumbent else None


def _hold_last_offenders(deployment: Deployment, change: Change) -> None:
    """Tenants who came, or changed their config, after the last admission."""
    cohort = find_cohort(deployment.candidate, deployment.environment, timezone.now())
    hold_offenders(deployment, cohort.offenders, change)


def _remember(step: DeploymentStep, name: str, value: int) -> None:
    step.state[name] = value
    step.save(update_fields=["state"])


def _note_first_traffic(deployment: Deployment) -> None:
    """From now on the guardrails watch."""
    if deployment.routed_at is None:
        deployment.routed_at = timezone.now()
        Deployment.objects.filter(pk=deployment.pk).update(routed_at=deployment.routed_at)
