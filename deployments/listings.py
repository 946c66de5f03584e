"""Plugins and deployments as lists show them: a fixed number of queries, however many rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from deployments.models import Deployment, Route
from deployments.models.deployment import ACTIVE
from deployments.progress import Progress, progress_of
from plugins.models import Plugin, PluginVersion
from plugins.querysets import documents_of

NEWEST_VERSIONS = 4
ON_OVERVIEW = 20


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    deployment: Deployment
    progress: Progress


@dataclass(frozen=True, slots=True)
class PluginRow:
    """``versions`` are the newest few of ``version_count``; ``routes`` are where it runs."""

    plugin: Plugin
    versions: tuple[PluginVersion, ...]
    version_count: int
    routes: tuple[Route, ...]

    @property
    def hidden_count(self) -> int:
        return self.version_count - len(self.versions)


def all_deployments() -> QuerySet[Deployment]:
    rows = Deployment.objects.select_related(
        "plugin", "environment", "candidate", "incumbent", "requested_by"
    )
    return rows.defer(*documents_of("candidate", "incumbent")).prefetch_related("steps")


def active_deployments(now: datetime) -> list[DeploymentRow]:
    rows = all_deployments().filter(status__in=ACTIVE).order_by("created_at")
    return deployment_rows(rows, now)


def past_deployments(now: datetime, count: int = ON_OVERVIEW) -> list[DeploymentRow]:
    rows = all_deployments().exclude(status__in=ACTIVE)
    return deployment_rows(rows.order_by(F("finished_at").desc(nulls_last=True))[:count], now)


def deployment_rows(rows: Any, now: datetime) -> list[DeploymentRow]:
    return [DeploymentRow(row, progress_of(row, now)) for row in rows]


def all_plugins() -> QuerySet[Plugin]:
    """Every plugin by name, with its newest versions and its routes."""
    newest = PluginVersion.objects.order_by("-sort_key").only("plugin", "version", "status")
    routes = Route.objects.select_related("environment", "stable", "candidate").only(
        *("plugin", "is_killed", "environment__name"), *("stable__version", "candidate__version")
    )
    # A subquery is asked for the rows of a page alone; a join would count every version there is.
    versions = PluginVersion.objects.filter(plugin=OuterRef("pk")).order_by().values("plugin")
    count = Subquery(versions.annotate(count=Count("pk")).values("count"))
    return (
        Plugin.objects.select_related("owner")
        .annotate(version_count=Coalesce(count, 0))
        .prefetch_related(
            Prefetch("versions", newest[:NEWEST_VERSIONS], to_attr="newest"),
            Prefetch("routes", routes.order_by("environment__position"), to_attr="places"),
        )
        .order_by("name")
    )


def latest_plugins(count: int = ON_OVERVIEW) -> list[PluginRow]:
    """Those that run somewhere first, then the newest."""
    runs = Route.objects.filter(plugin=OuterRef("pk"), stable__isnull=False)
    plugins = all_plugins().annotate(runs=Exists(runs)).order_by("-runs", "-updated_at")
    return plugin_rows(plugins[:count])


def plugin_rows(plugins: Any) -> list[PluginRow]:
    return [
        PluginRow(each, tuple(each.newest), each.version_count, tuple(each.places))
        for each in plugins
    ]
