"""Ed25519 keys of publishers as PEM, and the name of each: the sha256 of its public half."""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hotswap.lib.errors import InvalidInputError

MAX_PEM_CHARACTERS = 1000
_BAD = (ValueError, TypeError, UnsupportedAlgorithm)


class KeyUnsuitableError(InvalidInputError):
    """The text or file is not the Ed25519 key that is needed."""

    code = "key_unsuitable"


def key_id(public: Ed25519PublicKey) -> str:
    """sha256 of the SubjectPublicKeyInfo, in hex."""
    encoded = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def read_public_key(pem: str) -> Ed25519PublicKey:
    """From PEM; the text never holds more than the one public key."""
    if len(pem) > MAX_PEM_CHARACTERS or "PRIVATE" in pem:
        raise KeyUnsuitableError(
            "Send the public half of the key alone, the PEM that starts with "
            "'-----BEGIN PUBLIC KEY-----'. A private key that was sent anywhere must be replaced.",
            fields={"public_key": ["is not a public key in PEM"]},
        )
    try:
        public = serialization.load_pem_public_key(pem.encode())
    except _BAD as error:
        raise _not_ed25519("public_key") from error
    if not isinstance(public, Ed25519PublicKey):
        raise _not_ed25519("public_key")
    return public


def public_pem(public: Ed25519PublicKey) -> str:
    """The one spelling of a key that is stored."""
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def load_private_key(path: Path, password: bytes | None = None) -> Ed25519PrivateKey:
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password)
    except OSError as error:
        raise KeyUnsuitableError(f"The key {path} cannot be read: {error.strerror}.") from error
    except _BAD as error:
        raise KeyUnsuitableError(
            f"{path} is not an Ed25519 private key, or its password is another: "
            "'manage.py makepublisherkey' makes one."
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnsuitableError(f"{path} holds a key of another kind than Ed25519.")
    return private


def write_private_key(key: Ed25519PrivateKey, path: Path, password: bytes | None = None) -> None:
    """A new file that only its owner can read; one that exists is never replaced."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        protection = serialization.BestAvailableEncryption(password)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyUnsuitableError(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def read_password(path: Path | None) -> bytes | None:
    """From a file, so that it stands in no history and no list of processes."""
    if path is None:
        return None
    try:
        password = path.read_bytes().strip()
    except OSError as error:
        raise KeyUnsuitableError(
            f"The password {path} cannot be read: {error.strerror}."
        ) from error
    if not password:
        raise KeyUnsuitableError(f"There is no password in {path}.")
    return password


def _not_ed25519(field: str) -> KeyUnsuitableError:
    return KeyUnsuitableError(
        "The key is not an Ed25519 public key in PEM.",
        fields={field: ["is not an Ed25519 public key in PEM"]},
    )
