"""What a person sees first: what moves, where it runs, what there is."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from deployments.instance_views import InstanceView, instances_seen, live_count
from deployments.listings import active_deployments, latest_plugins, past_deployments
from deployments.rights import may_deploy
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.live import live_part, poll_seconds
from hotswap.lib.roles import is_staff
from plugins.models import Environment
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class EnvironmentCard:
    environment: Environment
    live: int


@login_required
def show(request: HttpRequest) -> HttpResponse:
    if not is_staff(request.user):
        return _show_tenants(request)
    context = _what_moves() | {"plugins": latest_plugins(), "may_deploy": may_deploy(request.user)}
    return render(request, "deployments/overview.html", context)


@live_part
@staff_page
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "deployments/overview_live.html", _what_moves())


def _what_moves() -> dict[str, Any]:
    now = timezone.now()
    instances = instances_seen(now)
    active = active_deployments(now)
    return {
        "active": active,
        "past": past_deployments(now),
        "instances": instances,
        "has_alarms": any(view.alarms for view in instances),
        "environments": _environment_cards(instances),
        "poll_seconds": poll_seconds(is_moving=bool(active)),
    }


def _environment_cards(instances: list[InstanceView]) -> list[EnvironmentCard]:
    return [
        EnvironmentCard(each, live_count(instances, each.pk)) for each in Environment.objects.all()
    ]


def _show_tenants(request: HttpRequest) -> HttpResponse:
    """A tenant's member has no overview of the platform, only of what is theirs."""
    tenants = list(Tenant.objects.for_member(request.user).select_related("home_environment"))
    if len(tenants) == 1:
        return redirect("tenant", slug=tenants[0].slug)
    return render(request, "tenants/own.html", {"tenants": tenants})
