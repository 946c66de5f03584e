"""What people do with deployments. The executor does the moving; these write rows and wake it."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from deployments.commands import CommandKind
from deployments.decisions import End
from deployments.events import record_audit_event, record_event
from deployments.models import Deployment, PlacementState, Status
from deployments.models.deployment import ACTIVE, RUNNING, WAITING, DeploymentKind
from deployments.moves import move
from deployments.plans import draw_plan, store_steps
from deployments.preview import Preview, draw_preview, find_incumbent, find_version_warnings
from deployments.refusals import refuse_candidate, refuse_frozen, refuse_stable
from deployments.reports import live_instances, placements_of
from deployments.requests import leave_command, lock_deployment, request_command
from deployments.strategies import Strategy, find_strategy
from deployments.tasks import hint_due_on_commit
from deployments.ticks import Tick
from hotswap.lib.errors import ConflictError, InvalidInputError
from plugins.models import Environment, Plugin, PluginVersion

__all__ = [
    "IF_ACTIVE",
    "plan_deployment",
    "request_command",
    "rollback_deployment",
    "start_deployment",
]
IF_ACTIVE = ("reject", "queue", "replace")


def plan_deployment(
    *,
    plugin: Plugin,
    environment: Environment,
    candidate: PluginVersion,
    strategy: str = "direct",
    options: Mapping[str, Any] | None = None,
) -> Preview:
    """What ``start_deployment`` with the same arguments would do, or the error it would raise."""
    chosen = _check_request(plugin, environment, candidate, strategy, options)
    return draw_preview(candidate, environment, chosen, dict(options or {}))


def start_deployment(
    *,
    plugin: Plugin,
    environment: Environment,
    candidate: PluginVersion,
    by: User,
    strategy: str = "direct",
    options: Mapping[str, Any] | None = None,
    if_active: str = "reject",
) -> Deployment:
    """Store the plan and let the executor begin.

    With a deployment of the plugin under way in the environment, ``reject`` raises
    ``ConflictError``, ``queue`` waits for its end, ``replace`` sends it back first.
    """
    if if_active not in IF_ACTIVE:
        raise InvalidInputError(
            f"if_active is one of {', '.join(IF_ACTIVE)}", fields={"if_active": ["unknown"]}
        )
    chosen = _check_request(plugin, environment, candidate, strategy, options)
    refuse_frozen(environment)
    with transaction.atomic():
        _make_room(candidate, environment, by, if_active)
        return _create(
            candidate,
            environment,
            by,
            chosen,
            options=dict(options or {}),
            required_approvals=environment.required_approvals,
        )


def rollback_deployment(*, deployment: Deployment, by: User) -> Deployment:
    """Go back to the version from before ``deployment``.

    While it runs, that is its own rollback; once it has completed, a new deployment of kind
    ``rollback``, which needs no approval and is allowed in a frozen environment.
    """
    if deployment.status in ACTIVE:
        request_command(deployment=deployment, kind=CommandKind.ROLLBACK, by=by)
        deployment.refresh_from_db()
        return deployment
    target = _rollback_target(deployment)
    refuse_candidate(target, deployment.environment, is_rollback=True)
    with transaction.atomic():
        _make_room(target, deployment.environment, by, "reject")
        chosen = find_strategy("direct").from_options({})
        return _create(target, deployment.environment, by, chosen, kind=DeploymentKind.ROLLBACK)


def _check_request(
    plugin: Plugin,
    environment: Environment,
    candidate: PluginVersion,
    strategy: str,
    options: Mapping[str, Any] | None,
) -> Strategy:
    if candidate.plugin_id != plugin.pk:
        raise InvalidInputError(
            f"{candidate} is not a version of {plugin}", fields={"version": ["of another plugin"]}
        )
    chosen = find_strategy(strategy).from_options(options or {})
    refuse_candidate(candidate, environment)
    refuse_stable(candidate, find_incumbent(candidate, environment), environment)
    return chosen


def _make_room(
    candidate: PluginVersion, environment: Environment, by: User, if_active: str
) -> None:
    """Inside the transaction that creates: the lock on the plugin's row decides who was first."""
    Plugin.objects.select_for_update(no_key=True).get(pk=candidate.plugin_id)
    place = {"plugin_id": candidate.plugin_id, "environment": environment}
    waiting = Deployment.objects.filter(**place, status__in=WAITING).first()
    running = Deployment.objects.filter(**place, status__in=RUNNING).first()
    if if_active == "replace":
        for active in (waiting, running):
            if active is not None:
                _supersede(active, by)
        return
    blocking = waiting if if_active == "queue" else waiting or running
    if blocking is not None:
        raise ConflictError(
            f"plugin {candidate.plugin.name} is already being deployed to {environment} "
            f"(deployment {blocking.pk} is {blocking.shown_status}); "
            "abort it first, or send if_active=queue or if_active=replace",
            code="deployment_active",
        )


def _create(
    candidate: PluginVersion,
    environment: Environment,
    by: User,
    strategy: Strategy,
    **fields: Any,
) -> Deployment:
    incumbent = find_incumbent(candidate, environment)
    approvals = fields.get("required_approvals", 0)
    deployment = Deployment.objects.create(
        plugin=candidate.plugin,
        environment=environment,
        candidate=candidate,
        incumbent=incumbent,
        strategy=type(strategy).name,
        status=Status.AWAITING_APPROVAL if approvals else Status.PENDING,
        requested_by=by,
        wake_at=timezone.now(),
        **fields,
    )
    plan = draw_plan(strategy, has_incumbent=incumbent is not None, approvals=approvals)
    store_steps(deployment, plan)
    record_event(deployment, "requested", f"by {by.get_username()}")
    record_audit_event(deployment, "requested", actor=by.get_username())
    for warning in find_version_warnings(candidate):
        record_event(deployment, "warning", warning)
    hint_due_on_commit(deployment)
    return deployment


def _supersede(deployment: Deployment, by: User) -> None:
    """A waiting one ends at once; a running one is asked to go back first."""
    row = lock_deployment(deployment)
    if row.status in WAITING:
        tick = Tick(row, None, timezone.now())
        move(End(Status.SUPERSEDED, f"replaced by {by.get_username()}"), tick)
    elif row.status == Status.IN_PROGRESS and not _is_superseded(row):
        leave_command(row, CommandKind.SUPERSEDE, by, {})


def _is_superseded(deployment: Deployment) -> bool:
    asked = deployment.commands.filter(kind=CommandKind.SUPERSEDE, applied_at__isnull=True)
    return asked.exists()


def _rollback_target(deployment: Deployment) -> PluginVersion:
    """The version from before, if the deployment is the one that brought the stable version."""
    name = f"deployment {deployment.pk}"
    if deployment.status != Status.COMPLETED:
        raise ConflictError(
            f"{name} is {deployment.status}: its tenants are on the version from before already",
            code="deployment_state",
        )
    if find_incumbent(deployment.candidate, deployment.environment) != deployment.candidate:
        raise ConflictError(
            f"{deployment.candidate} is not the stable version any more; "
            "roll back the last deployment, or deploy the version that you want",
            code="not_stable",
        )
    if deployment.incumbent is None:
        raise ConflictError(
            f"{name} was the first of {deployment.plugin} in {deployment.environment}: there is "
            "no version before; deploy another version, or kill the plugin",
            code="nothing_before",
        )
    _refuse_unhealthy(deployment.incumbent, deployment.environment)
    return deployment.incumbent


def _refuse_unhealthy(target: PluginVersion, environment: Environment) -> None:
    placements = placements_of(target, live_instances(environment, timezone.now()))
    for name, placement in sorted(placements.items()):
        if placement.state == PlacementState.FAILED:
            raise ConflictError(
                f"{target} is unhealthy on {name} ({placement.detail}); deploy another version",
                code="unhealthy",
            )
