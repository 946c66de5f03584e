"""Keys of publishers: registered with their public half, valid for a time, revoked for good."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from hotswap.lib.errors import ConflictError, ForbiddenError, InvalidInputError
from hotswap.lib.roles import Role, has_role, is_admin
from observability.audit import record_event
from plugins.models import Plugin, PublisherKey
from plugins.rules import may_edit
from plugins.signals import routing_changed
from plugins.trust.keyfiles import key_id, public_pem, read_public_key

USUAL_LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=5 * 365 + 1)


def visible_keys(user: Any) -> QuerySet[PublisherKey]:
    """Every key for an Admin, their own for anybody else."""
    keys = PublisherKey.objects.select_related("publisher")
    return keys if is_admin(user) else keys.filter(publisher=user)


def register_publisher_key(
    *,
    name: str,
    public_key: str,
    by: Any,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> PublisherKey:
    """A key that versions of the plugins that ``by`` may edit can be signed with."""
    if not has_role(by, Role.DEVELOPER):
        raise ForbiddenError("Only a Developer or an Admin may register a publisher's key.")
    public = read_public_key(public_key)
    start = not_before or timezone.now()
    end = not_after or start + USUAL_LIFE
    _check_times(start, end)
    key = PublisherKey(
        key_id=key_id(public),
        publisher=by,
        name=name,
        public_key=public_pem(public),
        not_before=start,
        not_after=end,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
            _record(by, "publisher_key.registered", key, not_after=end.isoformat())
    except IntegrityError as error:
        raise ConflictError(
            f"The key {key.key_id[:12]} is registered already: every publisher has keys of their "
            "own, and a revoked one never comes back. Make another with 'manage.py "
            "makepublisherkey'.",
            code="key_exists",
        ) from error
    return key


def revoke_publisher_key(*, key: PublisherKey, by: Any, reason: str) -> PublisherKey:
    """From now on nothing that it signed is uploaded, approved or loaded anew. For good."""
    if by.pk != key.publisher_id and not is_admin(by):
        raise ForbiddenError(f"Only {key.publisher} or an Admin may revoke this key.")
    now = timezone.now()
    with transaction.atomic():
        valid = PublisherKey.objects.filter(pk=key.pk, revoked_at=None)
        if not valid.update(revoked_at=now, revocation_reason=reason):
            raise ConflictError(f"Key {key} is revoked already.", code="key_revoked_already")
        _record(by, "publisher_key.revoked", key, reason=reason)
        for plugin in Plugin.objects.filter(versions__signed_by=key).distinct().order_by("pk"):
            routing_changed.send(Plugin, plugin=plugin)
    key.revoked_at, key.revocation_reason = now, reason
    return key


def check_key_usable(key: PublisherKey, plugin: Plugin, at: datetime) -> None:
    """Raise unless what the key signs for the plugin may be taken in or approved at that time."""
    if key.revoked_at is not None:
        raise _unusable(key, "is revoked", code="publisher_key_revoked")
    if at < key.not_before:
        raise _unusable(key, "is not valid yet", code="publisher_key_expired")
    if at >= key.not_after:
        raise _unusable(key, "has expired", code="publisher_key_expired")
    if not key.publisher.is_active or not may_edit(key.publisher, plugin):
        whose = f"is {key.publisher}'s, who does not publish {plugin.name}"
        raise _unusable(key, whose, code="publisher_not_allowed")


def _unusable(key: PublisherKey, why: str, *, code: str) -> InvalidInputError:
    return InvalidInputError(f"The signature's key {key} {why}: sign with another key.", code=code)


def _check_times(start: datetime, end: datetime) -> None:
    if end <= start:
        fields = {"not_after": ["is not after not_before"]}
        raise InvalidInputError("The key would end before it begins.", fields=fields)
    if end - start > LONGEST_LIFE:
        fields = {"not_after": [f"is more than {LONGEST_LIFE.days} days after not_before"]}
        raise InvalidInputError("A key is valid for five years at most.", fields=fields)


def _record(by: Any, action: str, key: PublisherKey, **after: str) -> None:
    record_event(
        actor=by.get_username(),
        action=action,
        object_type="publisher_key",
        object_id=key.key_id,
        after={"name": key.name, "publisher": key.publisher.get_username(), **after},
    )
