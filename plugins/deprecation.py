"""Telling everybody that a plugin should not be begun with, and taking that back."""

from typing import Any

from django.db import transaction

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from hotswap.lib.roles import is_admin
from plugins.models import Plugin
from plugins.plugin_rows import record_change, save_revision
from plugins.signals import deprecation_changed


def deprecate_plugin(
    *, plugin: Plugin, by: Any, reason: str, replacement: Plugin | None = None
) -> Plugin:
    """Say that nobody should begin to use it. Whoever uses it goes on, and is told."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may deprecate plugin {plugin.name}.")
    _check_replacement(plugin, replacement)
    if plugin.is_deprecated:
        raise ConflictError(f"Plugin {plugin.name} is deprecated already.")
    values = {"is_deprecated": True, "deprecation_reason": reason, "replacement": replacement}
    after = {"reason": reason, "replacement": replacement.name if replacement else None}
    with transaction.atomic():
        save_revision(plugin, values)
        _tell(plugin, by, "plugin.deprecated", after=after)
    return plugin


def withdraw_deprecation(*, plugin: Plugin, by: Any) -> Plugin:
    """It may be begun with again; nothing happens where it is not deprecated."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may withdraw the deprecation of {plugin.name}.")
    if not plugin.is_deprecated:
        return plugin
    name = plugin.replacement.name if plugin.replacement else None
    before = {"reason": plugin.deprecation_reason, "replacement": name}
    values = {"is_deprecated": False, "deprecation_reason": "", "replacement": None}
    with transaction.atomic():
        save_revision(plugin, values)
        _tell(plugin, by, "plugin.deprecation_withdrawn", before=before)
    return plugin


def _check_replacement(plugin: Plugin, replacement: Plugin | None) -> None:
    if replacement is None:
        return
    message = ""
    if replacement == plugin:
        message = "A plugin cannot replace itself."
    elif replacement.is_deprecated:
        message = f"{replacement.name} is deprecated itself: name one that is not."
    if message:
        raise InvalidInputError(message, fields={"replacement": [message]})


def _tell(plugin: Plugin, by: Any, action: str, **values: Any) -> None:
    record_change(by, action, plugin, **values)
    deprecation_changed.send(Plugin, plugin=plugin, by=by, action=action, **values)
