"""Changes in lower apps that instances must hear of."""

from typing import Any

from django.dispatch import receiver

from deployments.models import Route
from plugins.generation import routable_change
from plugins.models import Environment, Plugin
from plugins.signals import routing_changed


@receiver(routing_changed)
def touch_routes(plugin: Plugin, **_: Any) -> None:
    """Instances rebuild the plugin, with its versions' states, where anything of it is routed."""
    # In one order everywhere: each environment's row stays locked until the commit.
    for environment in Environment.objects.filter(routes__plugin=plugin).order_by("pk"):
        with routable_change(environment) as change:
            change.touch(Route.objects.filter(plugin=plugin, environment=environment))
