"""Plugins: register, change, deprecate, delete. Versions have ``uploads`` and ``decisions``."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from hotswap.lib.revisions import check_revision
from hotswap.lib.roles import Role, has_role, is_admin
from plugins.decisions import (
    approve_version,
    deprecate_version,
    reject_version,
    revoke_version,
    yank_version,
)
from plugins.deletion import delete_plugin
from plugins.deprecation import deprecate_plugin, withdraw_deprecation
from plugins.lookalikes import find_lookalike
from plugins.models import Plugin, validate_name
from plugins.plugin_rows import EDITABLE, described, record_change, save_revision
from plugins.rules import check_may_edit, give_plugin
from plugins.signals import routing_changed
from plugins.uploads import upload_version

__all__ = [
    "approve_version",
    "delete_plugin",
    "deprecate_plugin",
    "deprecate_version",
    "register_plugin",
    "reject_version",
    "revoke_version",
    "update_plugin",
    "upload_version",
    "withdraw_deprecation",
    "yank_version",
]

MAX_TAGS = 20


def register_plugin(
    *, name: str, by: Any, summary: str = "", type: str = "general", tags: Sequence[str] = ()
) -> Plugin:
    """A new plugin, owned by whoever registers it."""
    if not has_role(by, Role.DEVELOPER):
        raise ForbiddenError("Only a Developer or an Admin may register plugins.")
    _check_name_is_free(name)
    plugin = Plugin(name=name, summary=summary, type=type, tags=list(tags), owner=by)
    _check_fields(plugin)
    _check_looks_like_none(name, by)
    try:
        with transaction.atomic():
            plugin.save(force_insert=True)
            give_plugin(by, plugin)
            record_change(by, "plugin.registered", plugin, after=described(plugin))
    except IntegrityError:
        _check_name_is_free(name)
        raise
    return plugin


def update_plugin(
    *, plugin: Plugin, by: Any, changes: Mapping[str, Any], if_revision: int | None = None
) -> Plugin:
    """Change ``summary``, ``type``, ``tags``; ``is_active`` is an Admin's: it stops every call.

    ``is_deprecated=False`` withdraws a deprecation, which is an Admin's as well.
    """
    check_may_edit(by, plugin)
    if "is_active" in changes and not is_admin(by):
        raise ForbiddenError(f"Only an Admin may disable or enable plugin {plugin.name}.")
    if plugin.requires_signature and not changes.get("requires_signature", True):
        _check_may_unsign(by, plugin)
    check_revision(f"Plugin {plugin.name}", if_revision, plugin.revision)
    before = described(plugin)
    for name in EDITABLE:
        setattr(plugin, name, changes.get(name, getattr(plugin, name)))
    _check_fields(plugin)
    with transaction.atomic():
        save_revision(plugin, {name: getattr(plugin, name) for name in EDITABLE})
        record_change(by, "plugin.updated", plugin, before, described(plugin))
        if before["is_active"] != plugin.is_active:
            routing_changed.send(Plugin, plugin=plugin)
        if changes.get("is_deprecated") is False:
            withdraw_deprecation(plugin=plugin, by=by)
    return plugin


def _check_may_unsign(by: Any, plugin: Plugin) -> None:
    """Whoever steals an owner's credentials must not be able to do without the owner's key."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may let {plugin.name} take unsigned versions again.")


def _check_name_is_free(name: str) -> None:
    """In any case: names that differ only in case are one name to a person."""
    taken = Plugin.objects.filter(name__iexact=name).select_related("owner").first()
    if taken:
        raise ConflictError(
            f"The name {name!r} is taken by plugin {taken.name} of {taken.owner}: choose another.",
            code="name_taken",
            fields={"name": [f"Plugin {taken.name} has it."]},
        )


def _check_looks_like_none(name: str, by: Any) -> None:
    """Another's plugin must not be asked for by mistake; an Admin may decide that it will not."""
    if is_admin(by):
        return
    alike = find_lookalike(name, by)
    if alike:
        raise ConflictError(
            f"The name {name!r} looks like {alike} of somebody else: choose another, or "
            "ask an Admin to register it.",
            code="name_too_similar",
            fields={"name": [f"Looks like {alike}."]},
        )


def _check_fields(plugin: Plugin) -> None:
    try:
        _check_tags(plugin.tags)
        plugin.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problems = error.message_dict
        name, messages = next(iter(problems.items()))
        raise InvalidInputError(f"{name}: {messages[0]}", fields=problems) from error


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, list) or len(tags) > MAX_TAGS or len(set(map(str, tags))) < len(tags):
        raise ValidationError({"tags": f"Give a list of at most {MAX_TAGS} different names."})
    for tag in tags:
        if not isinstance(tag, str) or len(tag) > 40:
            raise ValidationError({"tags": "A tag is a text of at most 40 characters."})
        try:
            validate_name(tag)
        except ValidationError as error:
            raise ValidationError({"tags": error.messages}) from error
