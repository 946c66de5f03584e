"""Reads access tokens. Pure of Django: instances verify them too, with the public keys alone."""

import re
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hotswap.lib.errors import UnauthenticatedError

ALGORITHM = "ES256"
AUDIENCE = "hotswap"
ACCESS = "access"
REFRESH = "refresh"
MAX_TOKEN_CHARACTERS = 4096
_KID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_REQUIRED = ["exp", "iat", "aud", "sub", "jti", "epoch", "token_type"]


class TokenRefusedError(UnauthenticatedError):
    """The token is not one of ours, or no longer. The message never says which check failed."""

    code = "invalid_token"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for; ``epoch`` must still be the user's, ``expires_at`` is Unix time."""

    user_id: int
    epoch: int
    expires_at: float
    role: str = ""


class TokenVerifier:
    """Checks tokens against the public keys ``<public_keys_dir>/jwt/<kid>.pem``.

    A key that is added or removed counts at once.
    """

    def __init__(self, public_keys_dir: Path, kind: str = ACCESS) -> None:
        self._directory = Path(public_keys_dir) / "jwt"
        self._kind = kind
        self._keys: dict[tuple[str, int], EllipticCurvePublicKey] = {}

    def verify(self, token: str) -> Claims:
        """The claims of a good token; ``TokenRefusedError`` for any other text."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise TokenRefusedError("The token is not valid.")
        try:
            payload = jwt.decode(
                token,
                self._key_of(token),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": _REQUIRED, "strict_aud": True},
            )
            return self._read(payload)
        except jwt.ExpiredSignatureError as error:
            raise TokenRefusedError("The token has expired.") from error
        except (jwt.InvalidTokenError, OSError, ValueError, TypeError) as error:
            raise TokenRefusedError("The token is not valid.") from error

    def _read(self, payload: dict[str, object]) -> Claims:
        if payload["token_type"] != self._kind:
            raise ValueError("a token of another kind")
        user_id, epoch, expires_at = payload["sub"], payload["epoch"], payload["exp"]
        if not isinstance(epoch, int) or not isinstance(expires_at, int | float):
            raise TypeError("a claim of another type")
        return Claims(int(str(user_id)), epoch, float(expires_at), str(payload.get("role", "")))

    def _key_of(self, token: str) -> EllipticCurvePublicKey:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise ValueError("no key id")
        path = self._directory / f"{kid}.pem"
        known = (kid, path.stat().st_mtime_ns)
        if known not in self._keys:
            key = load_pem_public_key(path.read_bytes())
            if not isinstance(key, EllipticCurvePublicKey):
                raise TypeError("a key of another kind")
            self._keys[known] = key
        return self._keys[known]
