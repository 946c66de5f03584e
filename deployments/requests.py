"""Asking something of an active deployment; the executor applies it, so nobody races it."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from deployments.approvals import refuse_own
from deployments.commands import ALLOWED_IN, NOT_ABOUT_OWN_WORK, CommandKind
from deployments.decisions import MANUAL
from deployments.events import record_audit_event, record_event
from deployments.lease import RELATED
from deployments.models import Deployment, DeploymentCommand, DeploymentStep, Status
from deployments.models.deployment import Phase, StepStatus
from deployments.refusals import describe_status
from deployments.tasks import hint_due_on_commit
from hotswap.lib.errors import ConflictError, InvalidInputError
from plugins.models import VersionStatus

_WAY_OUT = {
    Status.PENDING: "wait until it begins, or abort it",
    Status.AWAITING_APPROVAL: "approve it, reject it or abort it",
    Status.IN_PROGRESS: "pause it, abort it or roll it back",
    Status.ROLLING_BACK: "wait until it has gone back",
    Status.COMPLETED: "roll it back, or start a new deployment",
}


def request_command(
    *, deployment: Deployment, kind: str, by: User, arguments: Mapping[str, Any] | None = None
) -> DeploymentCommand:
    """Leave a command for the executor's next tick.

    Asking again for what is asked or in force returns the first command. ``ConflictError`` names
    the state and the way out when it cannot be; ``ForbiddenError`` says it is about own work.
    """
    asked, said = _read_kind(kind), dict(arguments or {})
    with transaction.atomic():
        row = lock_deployment(deployment)
        if repeated := _find_repeated(row, asked, by):
            return repeated
        _refuse(row, asked)
        if asked in NOT_ABOUT_OWN_WORK:
            refuse_own(row, by, asked)
        return leave_command(row, asked, by, said)


def leave_command(
    deployment: Deployment, kind: CommandKind, by: User, arguments: dict[str, Any]
) -> DeploymentCommand:
    """Inside a transaction that has locked the deployment's row."""
    command = DeploymentCommand.objects.create(
        deployment=deployment,
        kind=kind,
        arguments=arguments,
        by=by,
        # A yes is counted, not applied: several people may give theirs at the same time.
        applied_at=timezone.now() if kind == CommandKind.APPROVE else None,
    )
    # The new revision ends the claim of a worker that decided without knowing of the command.
    Deployment.objects.filter(pk=deployment.pk).update(
        wake_at=timezone.now(), revision=F("revision") + 1
    )
    record_event(deployment, "asked", f"{kind} by {by.get_username()}", arguments)
    record_audit_event(deployment, kind, actor=by.get_username())
    hint_due_on_commit(deployment)
    return command


def lock_deployment(deployment: Deployment) -> Deployment:
    rows = Deployment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(*RELATED).get(pk=deployment.pk)


def _read_kind(kind: str) -> CommandKind:
    if kind in set(CommandKind) - {CommandKind.SUPERSEDE}:
        return CommandKind(kind)
    raise InvalidInputError(f"there is no command {kind!r}", fields={"kind": ["is not known"]})


def _find_repeated(deployment: Deployment, kind: CommandKind, by: User) -> DeploymentCommand | None:
    commands = deployment.commands.filter(kind=kind)
    if kind == CommandKind.APPROVE:
        return commands.filter(by=by).first()
    unanswered = commands.filter(applied_at__isnull=True).first()
    return unanswered or (commands.last() if _is_in_force(deployment, kind) else None)


def _is_in_force(deployment: Deployment, kind: CommandKind) -> bool:
    """Whether the deployment is where the last command of that kind, if any, has brought it."""
    is_paused = MANUAL in deployment.pause_reasons
    ended = {deployment.status, deployment.ends_as}
    return {
        CommandKind.PAUSE: is_paused,
        CommandKind.RESUME: not is_paused and deployment.status == Status.IN_PROGRESS,
        CommandKind.ABORT: Status.ABORTED in ended,
        CommandKind.REJECT: Status.ABORTED in ended,
        CommandKind.ROLLBACK: Status.ROLLED_BACK in ended,
    }.get(kind, False)


def _refuse(deployment: Deployment, kind: CommandKind) -> None:
    if deployment.status not in ALLOWED_IN[kind]:
        way_out = _WAY_OUT.get(Status(deployment.status), "start a new deployment")
        raise _conflict(deployment, kind, f"it is {deployment.shown_status}; {way_out}")
    if kind == CommandKind.RESUME and MANUAL not in deployment.pause_reasons:
        others = ", ".join(deployment.pause_reasons)
        why = f"it waits for: {others}" if others else "it is not paused"
        raise _conflict(deployment, kind, why)
    if kind == CommandKind.ROLLBACK:
        _refuse_revoked(deployment)
    if kind == CommandKind.SKIP and not _is_at_a_wait(deployment):
        raise _conflict(deployment, kind, "only a wait can be skipped, and it is not at one")


def _refuse_revoked(deployment: Deployment) -> None:
    incumbent = deployment.incumbent
    if incumbent is not None and incumbent.status == VersionStatus.REVOKED:
        raise ConflictError(
            f"{describe_status(incumbent)}: nothing goes back to it; deploy another version with "
            "if_active=replace, or kill the plugin",
            code="version_revoked",
        )


def _is_at_a_wait(deployment: Deployment) -> bool:
    rows = DeploymentStep.objects.filter(
        deployment=deployment, phase=Phase.PLAN, position__gte=deployment.cursor
    )
    row = rows.exclude(status=StepStatus.SKIPPED).order_by("position").first()
    return row is not None and row.kind == "hold"


def _conflict(deployment: Deployment, kind: CommandKind, why: str) -> ConflictError:
    return ConflictError(
        f"deployment {deployment.pk} does not take {kind} now: {why}", code="deployment_state"
    )
