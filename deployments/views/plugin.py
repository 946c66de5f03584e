"""One plugin: its versions, who runs which where, what changes between two, what it needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from guardian.shortcuts import get_users_with_perms

from deployments.forms import DEPLOYABLE
from deployments.listings import all_deployments, deployment_rows
from deployments.rights import may_deploy
from deployments.usage import EnvironmentUse, usage_of
from hotswap.lib.pages.access import staff_page
from plugins.compatibility import breaking_changes
from plugins.decision_offers import is_approver, refusal_for
from plugins.grants import GrantChange, grant_changes
from plugins.materials import materials_of
from plugins.models import LOADABLE, Plugin, PluginVersion, VersionStatus
from plugins.plugin_picture import picture_of
from plugins.rules import may_edit

PAGE = 20
RECENT_DEPLOYMENTS = 8
HEAVY = ("manifest", "sbom", "signature", "approval", "approval_signature")


@dataclass(frozen=True, slots=True)
class VersionRow:
    """``serves`` are (environment, role) pairs."""

    version: PluginVersion
    serves: tuple[tuple[str, str], ...]
    may_review: bool
    may_deploy: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What somebody who lets ``after`` follow ``before`` should know."""

    before: PluginVersion
    after: PluginVersion
    grants: Sequence[GrantChange]
    breaking: Sequence[Any]


@require_GET
@staff_page
def show(request: HttpRequest, name: str) -> HttpResponse:
    plugin = get_object_or_404(Plugin.objects.select_related("owner", "replacement"), name=name)
    usage = usage_of(plugin, timezone.now())
    every = list(_light(plugin))
    page = Paginator(every, PAGE).get_page(request.GET.get("page"))
    recent = all_deployments().filter(plugin=plugin)[:RECENT_DEPLOYMENTS]
    inside = _version_inside(usage, every)
    context = {
        "plugin": plugin,
        "maintainers": _maintainers(plugin),
        "usage": usage,
        "tenants": sum(use.tenants for each in usage for use in each.versions),
        "page": page,
        "rows": _version_rows(request.user, page, usage),
        "every": every,
        "comparison": _compare(plugin, every, request.GET),
        "picture": picture_of(plugin),
        "inside": inside,
        "materials": materials_of(inside) if inside else None,
        "recent": deployment_rows(recent, timezone.now()),
        "may_edit": may_edit(request.user, plugin),
        "may_deploy": may_deploy(request.user),
    }
    return render(request, "deployments/plugin.html", context)


def _light(plugin: Plugin) -> QuerySet[PluginVersion]:
    rows = PluginVersion.objects.filter(plugin=plugin).order_by("-sort_key")
    return rows.select_related("plugin", "uploaded_by").defer(*HEAVY)


def _maintainers(plugin: Plugin) -> list[str]:
    """Who else may edit it, given by its object permissions."""
    people: Any = get_users_with_perms(plugin, only_with_perms_in=["change_plugin"])
    return sorted(person.get_username() for person in people if person.pk != plugin.owner_id)


def _version_rows(
    user: Any, page: Iterable[PluginVersion], usage: list[EnvironmentUse]
) -> list[VersionRow]:
    serving = _serving(usage)
    return [
        VersionRow(
            version,
            tuple(serving[version.pk]),
            may_review=version.status == VersionStatus.DRAFT
            and is_approver(user)
            and not refusal_for(user, version),
            may_deploy=may_deploy(user) and version.status in DEPLOYABLE,
        )
        for version in page
    ]


def _serving(usage: list[EnvironmentUse]) -> Mapping[UUID, list[tuple[str, str]]]:
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for each in usage:
        for use in each.versions:
            found[use.version.pk] += [(each.environment.name, role) for role in use.roles]
    return found


def _compare(
    plugin: Plugin, every: Sequence[PluginVersion], query: Mapping[str, str]
) -> Comparison | None:
    """The two that were asked for; else the newest and the approved one before it."""
    if len(every) < 2:
        return None
    known = {row.version: row for row in every}
    after = known.get(query.get("to", ""), every[0])
    older = [row for row in every if row.sort_key < after.sort_key] or list(every)
    approved = [row for row in older if row.status in LOADABLE]
    before = known.get(query.get("from", ""), (approved or older)[0])
    chosen = PluginVersion.objects.filter(plugin=plugin, pk__in={before.pk, after.pk})
    manifests = dict(chosen.values_list("pk", "manifest"))
    pair = manifests[before.pk], manifests[after.pk]
    return Comparison(before, after, grant_changes(*pair), breaking_changes(*pair))


def _version_inside(
    usage: list[EnvironmentUse], every: Sequence[PluginVersion]
) -> PluginVersion | None:
    """Whose contents a reader most likely asks for: the stable one furthest on, else the newest."""
    stable = [use.version for each in usage for use in each.versions if "stable" in use.roles]
    chosen = stable[-1] if stable else every[0] if every else None
    return PluginVersion.objects.select_related("plugin").get(pk=chosen.pk) if chosen else None
