"""Whose a plugin is: one owner, and editors who may do with it what the owner may."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from guardian.shortcuts import get_users_with_perms, remove_perm

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from hotswap.lib.roles import Role, has_role, is_admin
from plugins.models import Plugin
from plugins.plugin_rows import record_change, save_revision
from plugins.rules import EDIT, give_plugin

User = get_user_model()


class Part(StrEnum):
    OWNER = "owner"
    EDITOR = "editor"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may edit the plugin."""

    user: str
    role: Part


def holders_of(plugin: Plugin) -> list[Holder]:
    """The owner, then the editors by name."""
    editors = sorted(user.get_username() for user in _given(plugin) if user.pk != plugin.owner_id)
    owner = Holder(plugin.owner.get_username(), Part.OWNER)
    return [owner, *(Holder(name, Part.EDITOR) for name in editors)]


def add_editor(*, plugin: Plugin, user: Any, by: Any) -> None:
    """Let another Developer edit the plugin and upload versions; again is no error."""
    check_may_share(by, plugin)
    _check_may_hold(user)
    if user.pk == plugin.owner_id or _is_given(plugin, user):
        return
    with transaction.atomic():
        give_plugin(user, plugin)
        record_change(by, "plugin.editor_added", plugin, after={"user": user.get_username()})


def remove_editor(*, plugin: Plugin, user: Any, by: Any) -> None:
    """Take the right to edit back. Editors may give up their own."""
    if user.pk != by.pk:
        check_may_share(by, plugin)
    if user.pk == plugin.owner_id:
        raise ConflictError(
            f"{user} owns {plugin.name}: give it to somebody else first, with role owner.",
            code="still_owner",
        )
    if not _is_given(plugin, user):
        raise NotFoundError(f"{user} is no editor of {plugin.name}.")
    with transaction.atomic():
        remove_perm(EDIT, user, plugin)
        record_change(by, "plugin.editor_removed", plugin, before={"user": user.get_username()})


def transfer_plugin(*, plugin: Plugin, user: Any, by: Any) -> None:
    """Give the plugin to another Developer; the owner of before stays an editor."""
    check_may_share(by, plugin)
    _check_may_hold(user)
    if user.pk == plugin.owner_id:
        return
    before, after = plugin.owner.get_username(), user.get_username()
    with transaction.atomic():
        give_plugin(plugin.owner, plugin)
        give_plugin(user, plugin)
        save_revision(plugin, {"owner": user})
        record_change(by, "plugin.transferred", plugin, {"owner": before}, {"owner": after})


def check_may_share(by: Any, plugin: Plugin) -> None:
    """Editors may not: rights would spread without the owner."""
    owns = by.pk == plugin.owner_id and has_role(by, Role.DEVELOPER)
    if not (owns or is_admin(by)):
        raise ForbiddenError(
            f"Plugin {plugin.name} belongs to {plugin.owner}: only they or an Admin may say who "
            "else edits it.",
            code="not_your_plugin",
        )


def _check_may_hold(user: Any) -> None:
    if not user.is_active or not has_role(user, Role.DEVELOPER):
        message = f"{user} is no Developer: only a Developer or an Admin can edit plugins."
        raise InvalidInputError(message, fields={"user": [message]})


def _given(plugin: Plugin) -> Any:
    return get_users_with_perms(
        plugin,
        only_with_perms_in=[EDIT.partition(".")[2]],
        with_group_users=False,
        with_superusers=False,
    )


def _is_given(plugin: Plugin, user: Any) -> bool:
    return bool(_given(plugin).filter(pk=user.pk).exists())
