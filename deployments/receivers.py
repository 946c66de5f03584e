"""Changes in lower apps that instances must hear of."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from deployments.kept_versions import find_use
from deployments.models import Route
from hotswap.lib.errors import ConflictError
from plugins.generation import routable_change
from plugins.models import Environment, Plugin, PluginVersion
from plugins.signals import approval_ending, routing_changed


@receiver(routing_changed)
def touch_routes(plugin: Plugin, **_: Any) -> None:
    """Instances rebuild the plugin, with its versions' states, where anything of it is routed."""
    # In one order everywhere: each environment's row stays locked until the commit.
    for environment in Environment.objects.filter(routes__plugin=plugin).order_by("pk"):
        with routable_change(environment) as change:
            change.touch(Route.objects.filter(plugin=plugin, environment=environment))


@receiver(approval_ending)
def keep_what_runs(version: PluginVersion, **_: Any) -> None:
    """An approval does not end under a version that is in use: instances would drop it."""
    use = find_use(version)
    if use:
        raise ConflictError(
            f"{version} {use}, with the packages that were approved: upload a new version to get "
            "newer ones.",
            code="version_runs",
        )
