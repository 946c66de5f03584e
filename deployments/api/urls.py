"""Deployments, instances, and a tenant's plugins. No trailing slashes."""

from django.urls import path

from deployments.api import (
    dependency_views,
    event_views,
    installation_views,
    instance_views,
    views,
)
from deployments.commands import CommandKind
from deployments.passing import invoke
from hotswap.lib.api.credentials import KeyScope

_DEPLOYMENT = "deployments/<uuid:pk>"
_PLUGIN = "tenants/<str:slug>/plugins/<str:name>"
_BY_KEY = (
    *(CommandKind.PAUSE, CommandKind.RESUME, CommandKind.ROLLBACK, CommandKind.ABORT),
    *(CommandKind.PROMOTE, CommandKind.SKIP),
)
_BY_PEOPLE = (CommandKind.APPROVE, CommandKind.REJECT)


def _command(kind: CommandKind, scope: KeyScope) -> object:
    view = views.DeploymentCommandView.as_view(kind=kind, key_scope=scope)
    return path(f"{_DEPLOYMENT}/{kind}", view, name=f"deployment-{kind}")


urlpatterns = [
    path("deployments", views.DeploymentList.as_view(), name="deployments"),
    path("deployments/plan", views.DeploymentPlan.as_view(), name="deployment-plan"),
    path(_DEPLOYMENT, views.DeploymentDetail.as_view(), name="deployment"),
    path(f"{_DEPLOYMENT}/events", event_views.EventList.as_view(), name="deployment-events"),
    *(_command(kind, KeyScope.WRITE) for kind in _BY_KEY),
    *(_command(kind, KeyScope.NONE) for kind in _BY_PEOPLE),
    path("strategies", views.StrategyList.as_view(), name="strategies"),
    path("instances", instance_views.InstanceList.as_view(), name="instances"),
    path(
        "plugins/<str:name>/versions/<str:version>/validate",
        dependency_views.DependencyValidation.as_view(),
    ),
    path("plugins/<str:name>/health", instance_views.PluginHealthView.as_view()),
    path("plugins/<str:name>/metrics", instance_views.PluginMetricsView.as_view()),
    path("plugins/<str:name>/kill", instance_views.Killing.as_view()),
    path("plugins/<str:name>/unkill", instance_views.Unkilling.as_view()),
    path("tenants/<str:slug>/plugins", installation_views.InstallationList.as_view()),
    path(_PLUGIN, installation_views.InstallationDetail.as_view()),
    path(f"{_PLUGIN}/enable", installation_views.Enabling.as_view()),
    path(f"{_PLUGIN}/disable", installation_views.Disabling.as_view()),
    path(f"{_PLUGIN}/config", installation_views.Config.as_view()),
    path(f"{_PLUGIN}/pin", installation_views.Pin.as_view()),
    path(f"{_PLUGIN}/secrets", installation_views.SecretList.as_view()),
    path(f"{_PLUGIN}/secrets/<str:key>", installation_views.SecretDetail.as_view()),
    path(f"{_PLUGIN}/quotas", installation_views.QuotasView.as_view()),
    path(f"{_PLUGIN}/invoke", invoke),
]
