"""Who sends an API request. Success gives the connection that caller's scope for the request."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models.manager import EmptyManager
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from hotswap.lib.api.credentials import Credential, CredentialKind, KeyScope, needed_scope
from hotswap.lib.database import scope_all
from hotswap.lib.errors import ForbiddenError
from hotswap.lib.tokens import TokenRefusedError, TokenVerifier
from plugins.api_keys import digest_of
from plugins.models import ApiKey
from tenants.isolation import enter_scope, scope_of

KEY_PREFIX = "hs_"
MAX_KEY_CHARACTERS = 100
REFUSED_KEY = "The API key is not valid, has expired or was revoked."
REFUSED_TOKEN = "The token is not valid or no longer; sign in again."  # noqa: S105


class TenantKeyUser:
    """Whoever holds a tenant's key: a caller for that tenant, no user and nobody's staff."""

    pk = id = None
    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False
    groups = EmptyManager(Group)

    def __init__(self, key: ApiKey) -> None:
        self.username = f"key {key.prefix} of a tenant"
        self.tenant_id = key.tenant_id
        self.key_id = key.pk

    def __str__(self) -> str:
        return self.username

    def get_username(self) -> str:
        return self.username

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False


class _BearerAuthentication(BaseAuthentication):
    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="hotswap"'


class AccessTokenAuthentication(_BearerAuthentication):
    """``Authorization: Bearer <access token>``."""

    def authenticate(self, request: Request) -> tuple[Any, Credential] | None:
        token = _credential(request, b"bearer")
        if token is None or token.startswith(KEY_PREFIX):
            return None
        user = self._user_of(token)
        enter_scope(scope_of(user))
        return user, Credential(CredentialKind.TOKEN)

    def _user_of(self, token: str) -> Any:
        try:
            claims = _verifier(Path(settings.PUBLIC_KEYS_DIR)).verify(token)
        except TokenRefusedError as error:
            raise AuthenticationFailed(error.message) from error
        users = get_user_model().objects.select_related("account")
        user = users.filter(
            pk=claims.user_id, is_active=True, account__credential_epoch=claims.epoch
        ).first()
        if user is None:
            raise AuthenticationFailed(REFUSED_TOKEN)
        return user


class ApiKeyAuthentication(_BearerAuthentication):
    """``Authorization: Bearer hs_…`` or ``Authorization: Api-Key hs_…``."""

    def authenticate(self, request: Request) -> tuple[Any, Credential] | None:
        text = _credential(request, b"api-key") or _credential(request, b"bearer")
        if text is None or not text.startswith(KEY_PREFIX):
            return None
        key = _find_key(text)
        _check_scope(request, key)
        if key.tenant_id:
            enter_scope(str(key.tenant_id))
            return TenantKeyUser(key), _credential_of(key, CredentialKind.TENANT_KEY)
        enter_scope(scope_of(key.user))
        return key.user, _credential_of(key, CredentialKind.USER_KEY)


@lru_cache(maxsize=4)
def _verifier(public_keys_dir: Path) -> TokenVerifier:
    """Kept between requests: reading a key costs more than checking a signature."""
    return TokenVerifier(public_keys_dir)


def _credential(request: Request, scheme: bytes) -> str | None:
    parts = get_authorization_header(request).split()
    if len(parts) != 2 or parts[0].lower() != scheme:
        return None
    return parts[1].decode("latin-1")


def _find_key(text: str) -> ApiKey:
    if len(text) > MAX_KEY_CHARACTERS:
        raise AuthenticationFailed(REFUSED_KEY)
    with scope_all():
        keys = ApiKey.objects.select_related("user", "environment")
        key = keys.filter(
            digest=digest_of(text), revoked_at__isnull=True, expires_at__gt=timezone.now()
        ).first()
    if key is None or (key.user and not key.user.is_active):
        raise AuthenticationFailed(REFUSED_KEY)
    return key


def _check_scope(request: Request, key: ApiKey) -> None:
    needed = needed_scope(request.parser_context.get("view"), request.method or "")
    if needed is KeyScope.NONE:
        raise ForbiddenError("No API key can do this: sign in as a person.", code="key_not_allowed")
    if needed not in key.scopes:
        raise ForbiddenError(
            f"The API key {key.prefix} lacks the scope '{needed}': make one that has it.",
            code="key_scope_missing",
        )


def _credential_of(key: ApiKey, kind: CredentialKind) -> Credential:
    return Credential(
        kind,
        frozenset(key.scopes),
        key_id=key.pk,
        tenant_id=key.tenant_id,
        environment=key.environment.name if key.environment else None,
    )
