"""Who calls, and for whom they may: by token or key and the snapshot, without a round trip."""

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from deployments.instance.facts import Credentials, KeyFact, TenantFact, UserFact
from deployments.instance.refusals import refuse, refuse_credential
from hotswap.lib.tokens import Claims, TokenRefusedError

KEY_PREFIX = b"hs_"
MAX_CREDENTIAL_BYTES = 4096
MAX_CACHED_TOKENS = 10_000
INVOKE = "invoke"
REFUSED_KEY = "The API key is not valid, has expired or was revoked."
REFUSED_TOKEN = "The token is not valid or no longer; sign in again."  # noqa: S105
NOBODY = "This needs an access token or an API key: send it as 'Authorization: Bearer ...'."


class Verifier(Protocol):
    def verify(self, token: str) -> Claims: ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds the credential. ``tenants`` None: any. ``expires_at``: Unix time."""

    name: str
    tenants: AbstractSet[str] | None
    expires_at: float

    def may_call_for(self, tenant: TenantFact) -> bool:
        return self.tenants is None or tenant.id in self.tenants


class Authenticator:
    """Signatures are checked once and remembered by digest; rights are looked up every time."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._claims: dict[bytes, Claims] = {}

    def authenticate(self, header: bytes, known: Credentials, now: float) -> Principal:
        """Who sent this Authorization header. Raises ``RefusedError`` with 401 or 403."""
        scheme, _, credential = header.strip().partition(b" ")
        credential = credential.strip()
        if not credential or len(credential) > MAX_CREDENTIAL_BYTES:
            raise refuse_credential(NOBODY)
        if scheme.lower() not in (b"bearer", b"api-key"):
            raise refuse_credential(NOBODY)
        if credential.startswith(KEY_PREFIX):
            return _holder_of(_find_key(credential, known, now), known)
        if scheme.lower() != b"bearer":
            raise refuse_credential(REFUSED_KEY)
        return self._bearer(credential, known, now)

    def _bearer(self, token: bytes, known: Credentials, now: float) -> Principal:
        digest = hashlib.sha256(token).digest()
        claims = self._claims.get(digest) or self._verify(token, digest)
        user = known.users.get(claims.user_id)
        if now >= claims.expires_at:
            self._claims.pop(digest, None)
            raise refuse_credential("The token has expired.")
        if user is None or not user.is_active or user.epoch != claims.epoch:
            raise refuse_credential(REFUSED_TOKEN)
        return _user(user, known, claims.expires_at)

    def _verify(self, token: bytes, digest: bytes) -> Claims:
        try:
            claims = self._verifier.verify(token.decode("ascii"))
        except (TokenRefusedError, UnicodeDecodeError) as error:
            raise refuse_credential(REFUSED_TOKEN) from error
        if len(self._claims) >= MAX_CACHED_TOKENS:
            self._claims.clear()
        self._claims[digest] = claims
        return claims


def _find_key(key: bytes, known: Credentials, now: float) -> KeyFact:
    found = known.keys.get(hashlib.sha256(key).hexdigest())
    if found is None or found.is_revoked or now >= found.expires_at:
        raise refuse_credential(REFUSED_KEY)
    if INVOKE not in found.scopes:
        message = "The API key lacks the scope 'invoke': make one that has it."
        raise refuse(403, "key_scope_missing", message)
    return found


def _holder_of(key: KeyFact, known: Credentials) -> Principal:
    if key.tenant_id is not None:
        return Principal(f"key {key.id}", frozenset({key.tenant_id}), key.expires_at)
    user = known.users.get(key.user_id or 0)
    if user is None or not user.is_active:
        raise refuse_credential(REFUSED_KEY)
    return _user(user, known, key.expires_at)


def _user(user: UserFact, known: Credentials, expires_at: float) -> Principal:
    tenants = None if user.is_admin else known.tenants_of_user.get(user.id, frozenset())
    return Principal(f"user {user.id}", tenants, expires_at)
