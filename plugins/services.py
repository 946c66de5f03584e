"""Plugins: register, change, deprecate, delete. Versions have ``uploads`` and ``decisions``."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from hotswap.lib.revisions import check_revision
from hotswap.lib.roles import Role, has_role, is_admin
from observability.audit import record_event
from plugins.decisions import (
    approve_version,
    deprecate_version,
    reject_version,
    revoke_version,
    yank_version,
)
from plugins.dependencies import check_nobody_needs
from plugins.lookalikes import plugins_that_look_like
from plugins.models import Plugin, PluginVersion, validate_name
from plugins.rules import check_may_edit, give_plugin
from plugins.signals import routing_changed
from plugins.storage import ArtifactStore
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
    "yank_version",
]

MAX_TAGS = 20
EDITABLE = ("summary", "type", "tags", "is_active", "requires_signature")


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
            _record(by, "plugin.registered", plugin, after=_described(plugin))
    except IntegrityError:
        _check_name_is_free(name)
        raise
    return plugin


def update_plugin(
    *, plugin: Plugin, by: Any, changes: Mapping[str, Any], if_revision: int | None = None
) -> Plugin:
    """Change ``summary``, ``type``, ``tags``; ``is_active`` is an Admin's: it stops every call."""
    check_may_edit(by, plugin)
    if "is_active" in changes and not is_admin(by):
        raise ForbiddenError(f"Only an Admin may disable or enable plugin {plugin.name}.")
    if plugin.requires_signature and not changes.get("requires_signature", True):
        _check_may_unsign(by, plugin)
    check_revision(f"Plugin {plugin.name}", if_revision, plugin.revision)
    before = _described(plugin)
    for name in EDITABLE:
        setattr(plugin, name, changes.get(name, getattr(plugin, name)))
    _check_fields(plugin)
    with transaction.atomic():
        _save_revision(plugin, {name: getattr(plugin, name) for name in EDITABLE})
        _record(by, "plugin.updated", plugin, before, _described(plugin))
        if before["is_active"] != plugin.is_active:
            routing_changed.send(Plugin, plugin=plugin)
    return plugin


def deprecate_plugin(
    *, plugin: Plugin, by: Any, reason: str, replacement: Plugin | None = None
) -> Plugin:
    """Say that nobody should begin to use it. Whoever uses it goes on."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may deprecate plugin {plugin.name}.")
    if replacement == plugin:
        fields = {"replacement": ["A plugin cannot replace itself."]}
        raise InvalidInputError("A plugin cannot replace itself.", fields=fields)
    if plugin.is_deprecated:
        raise ConflictError(f"Plugin {plugin.name} is deprecated already.")
    plugin.is_deprecated, plugin.deprecation_reason = True, reason
    plugin.replacement = replacement
    values = {"is_deprecated": True, "deprecation_reason": reason, "replacement": replacement}
    after = {"reason": reason, "replacement": replacement.name if replacement else None}
    with transaction.atomic():
        _save_revision(plugin, values)
        _record(by, "plugin.deprecated", plugin, after=after)
    return plugin


def delete_plugin(*, plugin: Plugin, by: Any) -> None:
    """Remove a plugin that was never used, with its versions and their artifacts."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may delete plugin {plugin.name}.")
    check_nobody_needs(plugin)
    versions = PluginVersion.objects.filter(plugin=plugin)
    try:
        with transaction.atomic():
            digests = list(versions.values_list("artifact_digest", flat=True))
            _record(by, "plugin.deleted", plugin, before=_described(plugin))
            versions.delete()
            Plugin.objects.filter(pk=plugin.pk).delete()
            transaction.on_commit(lambda: _delete_artifacts(digests))
    except (ProtectedError, IntegrityError) as error:
        raise _still_used(plugin, error) from error


def _check_may_unsign(by: Any, plugin: Plugin) -> None:
    """Whoever steals an owner's credentials must not be able to do without the owner's key."""
    if not is_admin(by):
        raise ForbiddenError(f"Only an Admin may let {plugin.name} take unsigned versions again.")


def _delete_artifacts(digests: Sequence[str]) -> None:
    for digest in digests:
        ArtifactStore().delete(digest)


def _still_used(plugin: Plugin, error: Exception) -> ConflictError:
    protected = getattr(error, "protected_objects", ())
    kinds = sorted({row._meta.verbose_name_plural for row in protected})
    what = ", ".join(str(kind) for kind in kinds) or "other rows"
    return ConflictError(
        f"Plugin {plugin.name} is still used by {what}: deprecate it instead.", code="still_used"
    )


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
    alike = plugins_that_look_like(name).exclude(owner=by).first()
    if alike:
        raise ConflictError(
            f"The name {name!r} looks like {alike.name} of somebody else: choose another, or "
            "ask an Admin to register it.",
            code="name_too_similar",
            fields={"name": [f"Looks like {alike.name}."]},
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


def _save_revision(plugin: Plugin, values: Mapping[str, Any]) -> None:
    """Compare-and-swap: whoever read an older revision comes too late."""
    unchanged = Plugin.objects.filter(pk=plugin.pk, revision=plugin.revision)
    if not unchanged.update(revision=F("revision") + 1, **values):
        check_revision(f"Plugin {plugin.name}", plugin.revision, plugin.revision + 1)
    plugin.refresh_from_db()


def _described(plugin: Plugin) -> dict[str, Any]:
    return {name: getattr(plugin, name) for name in ("name", *EDITABLE)}


def _record(
    by: Any,
    action: str,
    plugin: Plugin,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record_event(
        actor=by.get_username(),
        action=action,
        object_type="plugin",
        object_id=plugin.name,
        before=before,
        after=after,
    )
