"""What a deployment would do, computed from the rows of now; nothing is changed."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from deployments.admissions import Cohort, enabled_installations, find_cohort
from deployments.cohort import cohort_size
from deployments.models import Deployment, Route
from deployments.models.deployment import ACTIVE
from deployments.plans import draw_plan
from deployments.refusals import describe_status
from deployments.reports import live_instances
from deployments.steps import Promote, Step, dump
from deployments.steps import Route as RouteStep
from deployments.strategies import Strategy
from plugins.models import Environment, PluginVersion, VersionStatus


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """``tenants``: how many the candidate serves once the step holds; unknown when unchanged."""

    position: int
    kind: str
    arguments: dict[str, Any]
    title: str
    tenants: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedOffender:
    """A tenant that stays on the incumbent because its config does not fit the candidate."""

    tenant: str
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """``tenants`` counts those that would be moved, ``excluded`` those that a pin or hold keeps."""

    plugin: str
    environment: str
    candidate: str
    incumbent: str | None
    strategy: str
    options: dict[str, Any]
    required_approvals: int
    tenants: int
    excluded: int
    steps: tuple[PlannedStep, ...]
    offenders: tuple[PlannedOffender, ...]
    warnings: tuple[str, ...]


def draw_preview(
    candidate: PluginVersion, environment: Environment, strategy: Strategy, options: dict[str, Any]
) -> Preview:
    incumbent = find_incumbent(candidate, environment)
    approvals = environment.required_approvals
    steps = draw_plan(strategy, has_incumbent=incumbent is not None, approvals=approvals)
    cohort = find_cohort(candidate, environment, timezone.now())
    enabled = enabled_installations(candidate.plugin, environment).count()
    moved = len(cohort.ranked)
    return Preview(
        plugin=candidate.plugin.name,
        environment=environment.name,
        candidate=candidate.version,
        incumbent=incumbent.version if incumbent else None,
        strategy=type(strategy).name,
        options=options,
        required_approvals=approvals,
        tenants=moved,
        excluded=enabled - moved - len(cohort.offenders),
        steps=tuple(_plan_step(at, step, moved) for at, step in enumerate(steps)),
        offenders=tuple(PlannedOffender(o.tenant, o.problems) for o in cohort.offenders),
        warnings=_find_warnings(candidate, environment, cohort, incumbent),
    )


def find_incumbent(candidate: PluginVersion, environment: Environment) -> PluginVersion | None:
    """The stable version of the candidate's plugin there."""
    routes = Route.objects.filter(plugin_id=candidate.plugin_id, environment=environment)
    route = routes.select_related("stable").first()
    return route.stable if route else None


def find_version_warnings(candidate: PluginVersion) -> tuple[str, ...]:
    """What speaks against the version wherever it is deployed; it may be all the same."""
    plugin, found = candidate.plugin, []
    if candidate.status == VersionStatus.DEPRECATED:
        found.append(describe_status(candidate))
    if plugin.is_deprecated:
        reason = f" ({plugin.deprecation_reason})" if plugin.deprecation_reason else ""
        instead = f"; use {plugin.replacement}" if plugin.replacement else ""
        found.append(f"plugin {plugin} is deprecated{reason}{instead}")
    return tuple(found)


def find_active(candidate: PluginVersion, environment: Environment) -> Deployment | None:
    """The deployment of the plugin there that runs, else the one that waits."""
    rows = Deployment.objects.filter(
        plugin_id=candidate.plugin_id, environment=environment, status__in=ACTIVE
    )
    return rows.select_related("candidate", "plugin").order_by("started_at").first()


def _plan_step(position: int, step: Step, tenants: int) -> PlannedStep:
    kind, arguments = dump(step)
    reached = None
    if isinstance(step, RouteStep):
        reached = cohort_size(step.percent, tenants)
    elif isinstance(step, Promote):
        reached = tenants
    return PlannedStep(position, kind, arguments, str(step), reached)


def _find_warnings(
    candidate: PluginVersion,
    environment: Environment,
    cohort: Cohort,
    incumbent: PluginVersion | None,
) -> tuple[str, ...]:
    """What does not stop the deployment but is worth a second look."""
    active = find_active(candidate, environment)
    found = {
        f"no instance of {environment} is live: the load waits for one": not live_instances(
            environment, timezone.now()
        ),
        f"{active} is under way": active is not None,
        f"environment {environment} is frozen": environment.is_frozen,
        f"{candidate} is older than the stable {incumbent}": incumbent is not None
        and candidate.sort_key < incumbent.sort_key,
        "no tenant would be moved": incumbent is not None and not cohort.ranked,
    }
    about = (text for text, is_so in found.items() if is_so)
    return (*find_version_warnings(candidate), *about)
