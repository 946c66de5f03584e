"""One plugin: its versions, who may decide about them, and where each runs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deployments.instance_views import loaded_placements
from deployments.listings import all_deployments, deployment_rows
from deployments.models import Placement, Route
from deployments.rights import may_deploy
from hotswap.lib.errors import ForbiddenError
from hotswap.lib.pages.access import staff_page
from plugins.models import LOADABLE, Plugin, PluginVersion, VersionStatus
from plugins.rules import check_may_decide, may_edit

PAGE = 20
RECENT_DEPLOYMENTS = 8


@dataclass(frozen=True, slots=True)
class VersionRow:
    """``serves`` are (environment, role) pairs; ``refusal`` says why the person may not decide."""

    version: PluginVersion
    serves: tuple[tuple[str, str], ...]
    placements: tuple[Placement, ...]
    is_waiting: bool
    refusal: str
    may_deploy: bool

    @property
    def methods(self) -> list[str]:
        return sorted(self.version.manifest.get("methods", {}))

    @property
    def egress(self) -> list[str]:
        """What an approver lets out: the hosts that the version may reach."""
        egress = self.version.manifest.get("permissions", {}).get("egress", [])
        return [str(each.get("host", each) if isinstance(each, dict) else each) for each in egress]


@require_GET
@staff_page
def show(request: HttpRequest, name: str) -> HttpResponse:
    plugin = get_object_or_404(Plugin.objects.select_related("owner", "replacement"), name=name)
    routes = list(_routes(plugin))
    page = Paginator(_versions(plugin), PAGE).get_page(request.GET.get("page"))
    recent = all_deployments().filter(plugin=plugin)[:RECENT_DEPLOYMENTS]
    context = {
        "plugin": plugin,
        "routes": routes,
        "page": page,
        "rows": _version_rows(request.user, page, routes),
        "recent": deployment_rows(recent, timezone.now()),
        "may_edit": may_edit(request.user, plugin),
        "may_deploy": may_deploy(request.user),
    }
    return render(request, "deployments/plugin.html", context)


def _versions(plugin: Plugin) -> Any:
    return (
        PluginVersion.objects.filter(plugin=plugin)
        .select_related("plugin", "uploaded_by")
        .prefetch_related("decisions__user")
        .order_by("-sort_key")
    )


def _routes(plugin: Plugin) -> Any:
    routes = Route.objects.filter(plugin=plugin).order_by("environment__position")
    return routes.select_related("environment", "stable", "candidate", "warm", "deployment")


def _version_rows(user: Any, page: Any, routes: list[Route]) -> list[VersionRow]:
    serving = _serving(routes)
    placements = _placements(page)
    return [
        VersionRow(
            version,
            tuple(serving[version.pk]),
            tuple(placements[version.pk]),
            is_waiting=version.status == VersionStatus.DRAFT,
            refusal=_refusal(user, version),
            may_deploy=may_deploy(user) and version.status in (*LOADABLE, VersionStatus.DRAFT),
        )
        for version in page
    ]


def _serving(routes: list[Route]) -> Mapping[UUID, list[tuple[str, str]]]:
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for route in routes:
        for role in ("stable", "candidate", "warm"):
            version_id = getattr(route, f"{role}_id")
            if version_id:
                found[version_id].append((route.environment.name, role))
    return found


def _placements(page: Any) -> Mapping[UUID, list[Placement]]:
    found: dict[UUID, list[Placement]] = defaultdict(list)
    for placement in loaded_placements(timezone.now(), page.object_list):
        found[placement.version_id].append(placement)
    return found


def _refusal(user: Any, version: PluginVersion) -> str:
    try:
        check_may_decide(user, version)
    except ForbiddenError as error:
        return error.message
    return ""
