"""Makes access and refresh tokens: simplejwt's, signed by the platform's key with its id."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import Token

from hotswap.lib.keys import jwt_key
from hotswap.lib.roles import role_name
from hotswap.lib.tokens import ACCESS, ALGORITHM, AUDIENCE, REFRESH, TokenVerifier


class KeyedBackend(TokenBackend):
    """Signs with the newest key and names it in the header; the algorithm is fixed."""

    def __init__(self) -> None:
        super().__init__(ALGORITHM, audience=AUDIENCE)

    def encode(self, payload: dict[str, Any]) -> str:
        key = jwt_key()
        claims = {**payload, "aud": AUDIENCE}
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


class _UserToken(Token):
    @cached_property
    def _backend(self) -> TokenBackend:
        return KeyedBackend()

    def get_token_backend(self) -> TokenBackend:
        return self._backend

    @classmethod
    def for_user(cls, user: Any) -> "_UserToken":
        """``user.account`` must exist; its epoch ends the token when it moves on."""
        token = cls()
        token["sub"] = str(user.pk)
        token["epoch"] = user.account.credential_epoch
        token["role"] = role_name(user)
        return token


class AccessToken(_UserToken):
    token_type = ACCESS
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)


class RefreshToken(_UserToken):
    token_type = REFRESH
    lifetime = timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)


def issue_access_token(user: Any) -> str:
    """A token that says who the user is for ``settings.ACCESS_TOKEN_SECONDS``."""
    return str(AccessToken.for_user(user))


def issue_refresh_token(user: Any) -> str:
    return str(RefreshToken.for_user(user))


def access_verifier() -> TokenVerifier:
    return TokenVerifier(Path(settings.PUBLIC_KEYS_DIR))


def refresh_verifier() -> TokenVerifier:
    return TokenVerifier(Path(settings.PUBLIC_KEYS_DIR), REFRESH)
