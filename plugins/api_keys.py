"""API keys: ``hs_<8 prefix>_<43 secret>``. Only the digest is kept, so a key is shown once."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from hotswap.lib.database import scope_all
from hotswap.lib.errors import InvalidInputError
from observability.audit import record_event
from plugins.generation import credential_change
from plugins.models import ApiKey, Environment

USER_SCOPES = ("read", "write", "invoke")
TENANT_SCOPES = ("read", "invoke")
DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)


def digest_of(key: str) -> str:
    """What is kept of an API key. Its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_user_key(
    *, user: Any, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The row, and the key itself, which nobody can read again."""
    _check_scopes(scopes, USER_SCOPES)
    return _create(name, scopes, expires_at, by=user, user=user)


def create_tenant_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Sequence[str],
    by: Any,
    expires_at: datetime | None = None,
    environment: Environment | None = None,
) -> tuple[ApiKey, str]:
    """A key that acts for the tenant, whoever holds it; the caller has checked who asks."""
    _check_scopes(scopes, TENANT_SCOPES)
    return _create(name, scopes, expires_at, by=by, tenant_id=tenant_id, environment=environment)


def revoke_key(*, key: ApiKey, by: Any) -> None:
    """Refused from now on, by instances within one poll. Doing it again changes nothing."""
    with scope_all(), credential_change() as change:
        row = ApiKey.objects.filter(pk=key.pk)
        if row.filter(revoked_at__isnull=True).update(revoked_at=timezone.now()):
            change.touch(row)
            _record("key.revoked", key, by)


def keys_of_user(user: Any) -> QuerySet[ApiKey]:
    """Live keys, newest first. Read them within ``scope_all()``: they belong to no tenant."""
    return _live().filter(user=user)


def keys_of_tenant(tenant_id: UUID) -> QuerySet[ApiKey]:
    return _live().filter(tenant_id=tenant_id)


def _live() -> QuerySet[ApiKey]:
    rows = ApiKey.objects.select_related("environment", "created_by")
    return rows.filter(revoked_at__isnull=True).order_by("-created_at")


def _create(
    name: str, scopes: Sequence[str], expires_at: datetime | None, *, by: Any, **holder: Any
) -> tuple[ApiKey, str]:
    prefix = secrets.token_hex(4)
    key = f"hs_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=sorted(set(scopes)),
        created_by=by,
        expires_at=_expiry(expires_at),
        **holder,
    )
    # A user's key belongs to no tenant, so only this scope may write it.
    with scope_all(), credential_change() as change:
        row.save(force_insert=True)
        change.touch(row)
        _record("key.created", row, by)
    return row, key


def _check_scopes(scopes: Sequence[str], known: Sequence[str]) -> None:
    if not scopes or not set(scopes) <= set(known):
        problem = f"Give at least one of {', '.join(known)} and nothing else."
        raise InvalidInputError(f"scopes: {problem}", fields={"scopes": [problem]})


def _expiry(wanted: datetime | None) -> datetime:
    now = timezone.now()
    expires_at = wanted or now + DEFAULT_LIFETIME
    if not now < expires_at <= now + LONGEST_LIFETIME:
        problem = f"Must lie within the next {LONGEST_LIFETIME.days} days."
        raise InvalidInputError(f"expires_at: {problem}", fields={"expires_at": [problem]})
    return expires_at


def _record(action: str, key: ApiKey, by: Any) -> None:
    record_event(
        actor=by.get_username(),
        action=action,
        object_type="api_key",
        object_id=str(key.pk),
        tenant_id=key.tenant_id,
        after={"prefix": key.prefix, "scopes": key.scopes, "name": key.name},
    )
