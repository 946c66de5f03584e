"""One deployment: its plan, what happened, and what can be asked of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from deployments.calls import CallCount, count_calls
from deployments.commands import CommandKind
from deployments.listings import all_deployments
from deployments.models import Deployment, DeploymentStep
from deployments.models.deployment import Phase
from deployments.offers import OFFERS, offers_ever, offers_now
from deployments.progress import progress_of, text_of
from deployments.rights import OFFERED, may_command
from deployments.services import request_command
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.live import live_part, poll_seconds
from hotswap.lib.pages.problems import refusal_as_message
from plugins.models import PluginVersion

EVENTS_SHOWN = 100
COMMENT_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class StepRow:
    step: DeploymentStep
    text: str
    took: timedelta | None


@dataclass(frozen=True, slots=True)
class VersionCard:
    role: str
    version: PluginVersion
    calls: CallCount


@require_GET
@staff_page
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    deployment = get_object_or_404(all_deployments(), pk=pk)
    context = _what_moves(request, deployment)
    context["confirmations"] = offers_ever(request.user, deployment)
    return render(request, "deployments/deployment.html", context)


@live_part
@staff_page
def live(request: HttpRequest, pk: UUID) -> HttpResponse:
    deployment = get_object_or_404(all_deployments(), pk=pk)
    return render(request, "deployments/deployment_live.html", _what_moves(request, deployment))


@require_POST
@staff_page
def command(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    if kind not in OFFERED:
        raise Http404
    asked = CommandKind(kind)
    deployment = get_object_or_404(all_deployments(), pk=pk)
    if not may_command(request.user, deployment, asked):
        raise PermissionDenied
    comment = request.POST.get("comment", "").replace("\0", "").strip()[:COMMENT_CHARACTERS]
    with refusal_as_message(request):
        request_command(
            deployment=deployment,
            kind=asked,
            by=request.user,  # type: ignore[arg-type]  # staff_page lets nobody else through
            arguments={"comment": comment} if comment else {},
        )
        messages.success(request, f"Asked: {OFFERS[asked].label.lower()}.")
    return redirect("deployment", pk=pk)


def _what_moves(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    now = timezone.now()
    rows = [_step_row(step) for step in deployment.steps.all()]
    commands = deployment.commands.select_related("by").filter(applied_at__isnull=True)
    return {
        "deployment": deployment,
        "progress": progress_of(deployment, now),
        "plan": [row for row in rows if row.step.phase == Phase.PLAN],
        "way_back": [row for row in rows if row.step.phase == Phase.ROLLBACK],
        "cards": _version_cards(deployment, now),
        "events": deployment.events.order_by("-sequence")[:EVENTS_SHOWN],
        "open_commands": commands,
        "offers": offers_now(request.user, deployment),
        "took": _took(deployment.started_at, deployment.finished_at),
        # Once it has ended nothing on the page changes any more.
        "poll_seconds": poll_seconds(is_moving=True) if deployment.is_active else 0,
    }


def _version_cards(deployment: Deployment, now: datetime) -> list[VersionCard]:
    counts = count_calls(deployment, now)
    roles = (("candidate", deployment.candidate), ("incumbent", deployment.incumbent))
    return [
        VersionCard(role, version, counts.get(version.pk, CallCount()))
        for role, version in roles
        if version is not None
    ]


def _step_row(step: DeploymentStep) -> StepRow:
    return StepRow(step, text_of(step), _took(step.started_at, step.finished_at))


def _took(started: datetime | None, finished: datetime | None) -> timedelta | None:
    return finished - started if started and finished else None
