"""Who may do what to a plugin, beyond what the role alone decides."""

from typing import Any

from guardian.shortcuts import assign_perm

from hotswap.lib.errors import ForbiddenError
from hotswap.lib.roles import Role, has_role, is_admin
from plugins.models import Plugin, PluginVersion

EDIT = "plugins.change_plugin"


def may_edit(user: Any, plugin: Plugin) -> bool:
    """Admins, and Developers who own the plugin or were given it."""
    if is_admin(user):
        return True
    is_given = user.pk == plugin.owner_id or bool(user.has_perm(EDIT, plugin))
    return is_given and has_role(user, Role.DEVELOPER)


def give_plugin(user: Any, plugin: Plugin) -> None:
    """Let ``user`` edit the plugin and upload its versions, as its owner may."""
    assign_perm(EDIT, user, plugin)


def check_may_edit(user: Any, plugin: Plugin) -> None:
    if not may_edit(user, plugin):
        raise ForbiddenError(
            f"Plugin {plugin.name} belongs to {plugin.owner}: only they or an Admin may change it.",
            code="not_your_plugin",
        )


def check_may_decide(user: Any, version: PluginVersion) -> None:
    """Whoever made a version, or answers for the plugin, never decides about it."""
    if not has_role(user, Role.APPROVER):
        raise ForbiddenError("Only an Approver or an Admin may decide about versions.")
    if user.pk in (version.uploaded_by_id, version.plugin.owner_id):
        raise ForbiddenError(
            f"{version} is yours: somebody who neither uploaded it nor owns {version.plugin.name} "
            "must decide.",
            code="own_version",
        )
