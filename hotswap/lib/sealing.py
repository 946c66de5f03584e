"""Sealing: bytes that only the holder of one X25519 key can read, bound to what they are for.

X25519 with an ephemeral key, HKDF-SHA256, AES-256-GCM; the context is authenticated, not stored.
Pure: the instance opens with it, web and worker seal with it.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hotswap.lib.errors import HotSwapError, InvalidInputError

VERSION = b"\x01"
PUBLIC_KEY_BYTES = 32
_INFO = b"hotswap sealed 1"
# Every seal has a key of its own, so one nonce serves them all.
_NONCE = bytes(12)


class SealBrokenError(HotSwapError):
    """What was to be opened is altered, for another key or for another context."""

    code = "seal_broken"


def public_key_of(private_key: X25519PrivateKey) -> str:
    """The base64 that others seal to."""
    return base64.b64encode(private_key.public_key().public_bytes_raw()).decode()


def seal(public_key_b64: str, plaintext: bytes, context: bytes) -> bytes:
    """Seal to the holder of the key. Raises ``InvalidInputError`` for what is no X25519 key."""
    recipient = _read_public_key(public_key_b64)
    ephemeral = X25519PrivateKey.generate()
    sender = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(recipient)
    except ValueError as error:
        raise _not_a_key(public_key_b64) from error
    key = _derive(shared, sender + recipient.public_bytes_raw())
    return VERSION + sender + AESGCM(key).encrypt(_NONCE, plaintext, context)


def open_sealed(private_key: X25519PrivateKey, sealed: bytes, context: bytes) -> bytes:
    """The plaintext, or ``SealBrokenError``."""
    sealed = bytes(sealed)
    start = len(VERSION) + PUBLIC_KEY_BYTES
    sender, ciphertext = sealed[len(VERSION) : start], sealed[start:]
    if sealed[: len(VERSION)] != VERSION or not ciphertext:
        raise SealBrokenError("the sealed value is not of a form that this program knows")
    own = private_key.public_key().public_bytes_raw()
    try:
        shared = private_key.exchange(X25519PublicKey.from_public_bytes(sender))
        return AESGCM(_derive(shared, sender + own)).decrypt(_NONCE, ciphertext, context)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError(
            "the sealed value was altered, or is for another key or purpose"
        ) from error


def _derive(shared: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=_INFO).derive(shared)


def _read_public_key(text: str) -> X25519PublicKey:
    try:
        return X25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _not_a_key(text) from error


def _not_a_key(text: str) -> InvalidInputError:
    return InvalidInputError(f"{text[:50]!r} is not the base64 of an X25519 public key.")
