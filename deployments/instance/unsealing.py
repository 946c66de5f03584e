"""Opens an installation's secrets: plain values live in memory only, as long as they count."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from deployments.instance.facts import InstallationFact, SealedFact
from deployments.instance.identity import Identity
from hotswap.lib.sealing import open_sealed

NO_SECRETS: Mapping[str, str] = {}


def has_current_seal(installation: InstallationFact, sealed: SealedFact | None) -> bool:
    """Whether the secrets of exactly this epoch are here, or there are none to wait for."""
    if not installation.has_secrets:
        return True
    return sealed is not None and sealed.epoch == installation.epoch


def open_secrets(
    identity: Identity, installation: InstallationFact, sealed: SealedFact | None
) -> Mapping[str, str]:
    """Name to value. ``SealBrokenError`` when it is for another key, installation or epoch."""
    if sealed is None or not installation.has_secrets:
        return NO_SECRETS
    context = f"{identity.id}:{installation.id}:{installation.epoch}".encode()
    plain = open_sealed(identity.private_key, base64.b64decode(sealed.ciphertext), context)
    values: dict[str, Any] = orjson.loads(plain)
    return {str(name): str(value) for name, value in values.items()}
