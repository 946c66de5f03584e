"""What a request came with; ``request.auth`` is one of these, or None for a signed-in session."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class CredentialKind(StrEnum):
    TOKEN = "token"  # noqa: S105
    USER_KEY = "user_key"
    TENANT_KEY = "tenant_key"


class KeyScope(StrEnum):
    """What an API key may be used for; ``NONE`` marks what no key may do."""

    READ = "read"
    WRITE = "write"
    INVOKE = "invoke"
    NONE = "none"


GRANTABLE_SCOPES = (KeyScope.READ, KeyScope.WRITE, KeyScope.INVOKE)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Credential:
    """``tenant_id`` and ``environment`` bind a tenant's key; ``scopes`` are empty for tokens."""

    kind: CredentialKind
    scopes: frozenset[str] = frozenset()
    key_id: UUID | None = None
    tenant_id: UUID | None = None
    environment: str | None = None

    @property
    def is_key(self) -> bool:
        return self.kind is not CredentialKind.TOKEN


def is_api_key(request: Any) -> bool:
    """Whether the request came with an API key: those cannot approve."""
    return isinstance(request.auth, Credential) and request.auth.is_key


def needed_scope(view: Any, method: str) -> KeyScope:
    """By action from ``view.key_scopes``, else ``view.key_scope``, else by what the method does."""
    by_action = getattr(view, "key_scopes", {})
    action = getattr(view, "action", None)
    if action in by_action:
        return KeyScope(by_action[action])
    by_method = KeyScope.READ if method in SAFE_METHODS else KeyScope.WRITE
    return KeyScope(getattr(view, "key_scope", by_method))
