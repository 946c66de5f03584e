"""Keeps each user's Account: made with the user; its epoch moves on with the user's rights."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F
from django.db.models.signals import m2m_changed, post_save, pre_save
from django.dispatch import Signal, receiver

from plugins.generation import credential_change
from plugins.models import Account

# Sent with ``plugin`` in the transaction that changes a version's status or disables the plugin.
# Whoever routes to versions listens, because this app may not know them.
routing_changed = Signal()
# Sent with ``version`` and ``by`` in the transaction that deprecates, yanks or revokes it. Whoever
# knows who runs or pins the version tells them.
version_withdrawn = Signal()
# Sent with ``version`` before its approval ends because other packages were resolved. A receiver
# that knows who runs the version refuses by raising ``ConflictError``.
approval_ending = Signal()
# Sent with ``plugin`` before it is deleted. Each receiver returns what uses it, in words.
plugin_ending = Signal()
# Sent with ``plugin``, ``by``, ``action`` and what was said, in the transaction that deprecates
# the plugin or takes that back, so that whoever knows its users can tell them.
deprecation_changed = Signal()

DECISIVE_FIELDS = ("password", "is_active", "is_superuser")
User = get_user_model()


def end_credentials(user_ids: Iterable[int]) -> None:
    """Every token that these users hold is refused from now on, by instances within one poll."""
    with credential_change() as change:
        accounts = Account.objects.filter(user__in=list(user_ids))
        accounts.update(credential_epoch=F("credential_epoch") + 1)
        change.touch(accounts)


@receiver(pre_save, sender=User)
def notice_change(instance: Any, update_fields: Any = None, **_: Any) -> None:
    watched: tuple[str, ...] = DECISIVE_FIELDS
    if update_fields is not None:
        watched = tuple(name for name in watched if name in update_fields)
    stored = User.objects.filter(pk=instance.pk).values(*watched).first() if watched else None
    before = stored or {}
    instance._rights_changed = any(getattr(instance, name) != before[name] for name in before)


@receiver(post_save, sender=User)
def keep_account(instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if created and not raw:
        with credential_change() as change:
            change.touch(Account.objects.create(user_id=instance.pk))
    elif getattr(instance, "_rights_changed", False):
        end_credentials([instance.pk])
        _forget_account(instance)


@receiver(m2m_changed, sender=User.groups.through)
def notice_groups(
    instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any
) -> None:
    """``instance`` is the user, or from the other side (``reverse``) the group."""
    if action == "pre_clear" and reverse:
        instance._members_before = list(instance.user_set.values_list("pk", flat=True))
    if action not in ("post_add", "post_remove", "post_clear"):
        return
    if reverse:
        end_credentials(pk_set if pk_set is not None else instance._members_before)
        return
    vars(instance).pop("_group_names", None)
    end_credentials([instance.pk])
    _forget_account(instance)


def _forget_account(user: Any) -> None:
    """What this object read of its account is old now; a token would get the epoch of before."""
    user._state.fields_cache.pop("account", None)
