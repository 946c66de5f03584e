"""The kill switch of a plugin: within a second nobody's call gets through, until it is lifted."""

from typing import Any

from django.db import transaction

from deployments.models import Route
from observability.audit import record_event
from plugins.generation import routable_change
from plugins.models import Environment, Plugin


def kill_plugin(
    *, plugin: Plugin, by: Any, environment: Environment | None = None, reason: str = ""
) -> list[Route]:
    """Refuse every call of the plugin there, or everywhere. Repeating changes nothing."""
    return _set_killed(plugin, environment, by, is_killed=True, reason=reason)


def unkill_plugin(
    *, plugin: Plugin, by: Any, environment: Environment | None = None, reason: str = ""
) -> list[Route]:
    """Let calls through again."""
    return _set_killed(plugin, environment, by, is_killed=False, reason=reason)


def _set_killed(
    plugin: Plugin, environment: Environment | None, by: Any, *, is_killed: bool, reason: str
) -> list[Route]:
    wanted = Environment.objects.all() if environment is None else [environment]
    with transaction.atomic():
        # In one order everywhere: each environment's row stays locked until the commit.
        for place in sorted(wanted, key=lambda each: each.pk):
            if _set_in(plugin, place, is_killed=is_killed):
                _record(plugin, place, by, is_killed, reason)
    routes = Route.objects.filter(plugin=plugin, environment__in=[each.pk for each in wanted])
    return list(routes.select_related("environment", "plugin").order_by("environment__position"))


def _set_in(plugin: Plugin, environment: Environment, *, is_killed: bool) -> bool:
    """Whether that changed anything. Killing makes the route, so a first deployment is dead too."""
    place: dict[str, Any] = {"plugin": plugin, "environment": environment}
    with routable_change(environment) as change:
        if is_killed:
            Route.objects.get_or_create(**place)
        moved = Route.objects.filter(**place, is_killed=not is_killed).update(is_killed=is_killed)
        if moved:
            change.touch(Route.objects.filter(**place))
    return bool(moved)


def _record(
    plugin: Plugin, environment: Environment, by: Any, is_killed: bool, reason: str
) -> None:
    record_event(
        actor=by.get_username(),
        action="plugin.killed" if is_killed else "plugin.unkilled",
        object_type="plugin",
        object_id=plugin.name,
        after={"environment": environment.name, "reason": reason},
    )
