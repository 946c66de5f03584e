"""Removing a plugin that nothing uses."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from hotswap.lib.errors import ConflictError, ForbiddenError
from hotswap.lib.roles import is_admin
from plugins.dependencies import check_nobody_needs
from plugins.models import Plugin, PluginVersion
from plugins.plugin_rows import described, record_change
from plugins.signals import plugin_ending
from plugins.storage import ArtifactStore


def delete_plugin(*, plugin: Plugin, by: Any) -> None:
    """Remove a plugin that was never used, with its versions and their artifacts."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may delete plugin {plugin.name}.")
    check_nobody_needs(plugin)
    _check_unused(plugin)
    versions = PluginVersion.objects.filter(plugin=plugin)
    try:
        with transaction.atomic():
            digests = list(versions.values_list("artifact_digest", flat=True))
            record_change(by, "plugin.deleted", plugin, before=described(plugin))
            versions.delete()
            Plugin.objects.filter(pk=plugin.pk).delete()
            transaction.on_commit(lambda: _delete_artifacts(digests))
    except (ProtectedError, IntegrityError) as error:
        # Somebody began to use it meanwhile.
        _check_unused(plugin)
        raise _still_used(plugin, ["other rows"]) from error


def _check_unused(plugin: Plugin) -> None:
    found = plugin_ending.send(Plugin, plugin=plugin)
    uses = [text for _, texts in found for text in texts or ()]
    if uses:
        raise _still_used(plugin, uses)


def _still_used(plugin: Plugin, uses: Sequence[str]) -> ConflictError:
    return ConflictError(
        f"Plugin {plugin.name} is still used: {'; '.join(uses)}. Deprecate it instead, and disable "
        "it (is_active) when nobody may call it any more.",
        code="still_used",
        fields={"uses": list(uses)},
    )


def _delete_artifacts(digests: Sequence[str]) -> None:
    for digest in digests:
        ArtifactStore().delete(digest)
