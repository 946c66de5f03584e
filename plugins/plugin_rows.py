"""A plugin's row as every change of it writes and records it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from hotswap.lib.revisions import check_revision
from observability.audit import record_event
from plugins.models import Plugin

EDITABLE = ("summary", "type", "tags", "is_active", "requires_signature")


def save_revision(plugin: Plugin, values: Mapping[str, Any]) -> None:
    """Compare-and-swap: whoever read an older revision comes too late."""
    unchanged = Plugin.objects.filter(pk=plugin.pk, revision=plugin.revision)
    if not unchanged.update(revision=F("revision") + 1, **values):
        check_revision(f"Plugin {plugin.name}", plugin.revision, plugin.revision + 1)
    plugin.refresh_from_db()


def described(plugin: Plugin) -> dict[str, Any]:
    return {name: getattr(plugin, name) for name in ("name", *EDITABLE)}


def record_change(
    by: Any,
    action: str,
    plugin: Plugin,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """One audit event about the plugin; call it in the transaction of the change."""
    record_event(
        actor=by.get_username(),
        action=action,
        object_type="plugin",
        object_id=plugin.name,
        before=before,
        after=after,
    )
