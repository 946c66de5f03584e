"""One version: what is in it, what it may do, who decided what, and how its packages resolve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deployments.forms import DEPLOYABLE
from deployments.rights import may_deploy
from deployments.usage import EnvironmentUse, VersionUse, usage_of
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.live import live_part, poll_seconds
from plugins.decision_offers import is_approver, offers_for, refusal_for
from plugins.grants import grants_of
from plugins.manifest_words import health_of, methods_of, metrics_of, settings_of
from plugins.materials import materials_of
from plugins.models import (
    DependencyLock,
    PluginVersion,
    Resolution,
    ResolutionStatus,
    VersionStatus,
)
from plugins.reviews import review_of
from plugins.rules import may_edit
from plugins.seals import publisher_seal, seal_of

MOVING = (ResolutionStatus.PENDING, ResolutionStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Place:
    environment: EnvironmentUse
    use: VersionUse


@require_GET
@staff_page
def show(request: HttpRequest, name: str, version: str) -> HttpResponse:
    row = _find(name, version)
    review = review_of(row)
    context = {
        **_what_moves(request, row),
        **_decisions(request.user, row),
        **_contents(row),
        "older": review.older,
        "breaking": review.breaking,
        "grant_changes": review.grant_changes,
        "places": _places(row),
        "may_deploy": may_deploy(request.user) and row.status in DEPLOYABLE,
    }
    return render(request, "deployments/version.html", context)


@live_part
@staff_page
def live(request: HttpRequest, name: str, version: str) -> HttpResponse:
    return render(
        request, "deployments/resolution.html", _what_moves(request, _find(name, version))
    )


def _find(name: str, version: str) -> PluginVersion:
    rows = PluginVersion.objects.select_related(
        *("plugin__owner", "plugin__replacement", "uploaded_by", "signed_by__publisher")
    ).prefetch_related("decisions__user")
    row: PluginVersion = get_object_or_404(rows, plugin__name=name, version=version)
    return row


def _what_moves(request: HttpRequest, row: PluginVersion) -> dict[str, Any]:
    """The resolution: once it has ended, nothing here changes by itself any more."""
    resolution = Resolution.objects.filter(version=row).first()
    lock = DependencyLock.objects.filter(digest=row.lock_digest).first()
    is_moving = resolution is not None and resolution.status in MOVING
    return {
        "version": row,
        "plugin": row.plugin,
        "declared": row.manifest.get("dependencies", {}).get("python", []),
        "resolution": resolution,
        "progress": list(reversed(resolution.progress)) if resolution else [],
        "packages": lock.packages if lock else [],
        "is_moving": is_moving,
        "may_resolve": may_edit(request.user, row.plugin),
        "poll_seconds": poll_seconds(is_moving=True) if is_moving else 0,
    }


def _decisions(user: Any, row: PluginVersion) -> dict[str, Any]:
    is_waiting = row.status == VersionStatus.DRAFT
    return {
        "offers": offers_for(user, row),
        "is_waiting": is_waiting,
        "refusal": refusal_for(user, row) if is_waiting and is_approver(user) else "",
        "decisions": sorted(row.decisions.all(), key=lambda decision: decision.at),
        "seal": seal_of(row),
        "publisher_seal": publisher_seal(row),
    }


def _contents(row: PluginVersion) -> dict[str, Any]:
    manifest = row.manifest
    return {
        "manifest": manifest,
        "grants": _grouped(manifest),
        "methods": methods_of(manifest),
        "settings": settings_of(manifest),
        "health": health_of(manifest),
        "metrics": metrics_of(manifest),
        "needed_plugins": manifest.get("dependencies", {}).get("plugins", []),
        "materials": materials_of(row),
    }


def _grouped(manifest: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for grant in grants_of(manifest):
        groups.setdefault(grant.group, []).append(grant)
    return list(groups.items())


def _places(row: PluginVersion) -> list[Place]:
    return [
        Place(environment, use)
        for environment in usage_of(row.plugin, timezone.now())
        for use in environment.versions
        if use.version.pk == row.pk
    ]
