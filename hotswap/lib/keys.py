"""The platform's own keys: files of mode 0600 in ``settings.KEYS_DIR``, public halves beneath.

``jwt.pem`` signs access tokens, ``signing.pem`` countersigns approvals, ``kek`` wraps the keys of
tenants. Instances are given ``public/`` alone.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.conf import settings

from hotswap.lib.errors import UnavailableError

KEY_BYTES = 32
ACCEPTED_PUBLIC_KEYS = 2
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class JwtKey:
    """The key that signs access tokens now; its tokens name it by ``kid``."""

    kid: str
    private: ec.EllipticCurvePrivateKey


def make_keys(directory: Path) -> list[str]:
    """Make the keys that are missing, never replace one; return the names of those made."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    contents: dict[str, Callable[[], bytes]] = {
        "jwt.pem": lambda: _private_pem(ec.generate_private_key(ec.SECP256R1())),
        "signing.pem": lambda: _private_pem(ed25519.Ed25519PrivateKey.generate()),
        "kek": lambda: base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n",
    }
    made = [
        name
        for name, content in contents.items()
        if not (directory / name).exists() and _write_new(directory / name, content(), 0o600)
    ]
    _publish(directory)
    return made


def rotate_jwt_key(directory: Path) -> str:
    """Sign with a new key from now on; tokens of the one before stay valid. Return the new kid.

    A running web process takes the new key up by itself.
    """
    make_keys(directory)
    private = ec.generate_private_key(ec.SECP256R1())
    # Published before it signs: no token may be out whose key nobody knows.
    _publish_one(directory, "jwt", private.public_key())
    fresh = directory / f".jwt.{secrets.token_hex(8)}"
    _write(fresh, _private_pem(private), 0o600)
    fresh.replace(directory / "jwt.pem")
    kid = key_id(private.public_key())
    _retire(directory / "public" / "jwt", keep=kid)
    return kid


def jwt_key(directory: Path | None = None) -> JwtKey:
    private = _load(directory, "jwt.pem")
    assert isinstance(private, ec.EllipticCurvePrivateKey)  # noqa: S101
    return JwtKey(key_id(private.public_key()), private)


def signing_key(directory: Path | None = None) -> ed25519.Ed25519PrivateKey:
    private = _load(directory, "signing.pem")
    assert isinstance(private, ed25519.Ed25519PrivateKey)  # noqa: S101
    return private


def signing_public_keys(public_keys_dir: Path) -> list[ed25519.Ed25519PublicKey]:
    """Every key whose countersignature an instance accepts."""
    keys = [
        serialization.load_pem_public_key(path.read_bytes())
        for path in sorted((public_keys_dir / "signing").glob("*.pem"))
    ]
    return [key for key in keys if isinstance(key, ed25519.Ed25519PublicKey)]


def key_encryption_key(directory: Path | None = None) -> bytes:
    """The 32 bytes that wrap every tenant's data key."""
    return base64.b64decode(_read(directory, "kek").strip(), validate=True)


def key_id(public: PublicKey) -> str:
    """The name of a key: the start of the sha256 of its public half."""
    encoded = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()[:16]


def _publish(directory: Path) -> None:
    _publish_one(directory, "jwt", jwt_key(directory).private.public_key())
    _publish_one(directory, "signing", signing_key(directory).public_key())


def _publish_one(directory: Path, kind: str, public: PublicKey) -> None:
    folder = directory / "public" / kind
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write_new(folder / f"{key_id(public)}.pem", _public_pem(public), 0o644)


def _retire(folder: Path, keep: str) -> None:
    """Forget all public keys but ``keep`` and the newest others."""
    others = [path for path in folder.glob("*.pem") if path.stem != keep]
    others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in others[ACCEPTED_PUBLIC_KEYS - 1 :]:
        path.unlink()


def _load(directory: Path | None, name: str) -> PrivateKey:
    return _parse(_read(directory, name))


def _read(directory: Path | None, name: str) -> bytes:
    path = (directory or Path(settings.KEYS_DIR)) / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"The platform's key {path} cannot be read ({error.strerror}): "
            "run 'manage.py makekeys', or point HOTSWAP_KEYS_DIR at the keys."
        ) from error


@lru_cache(maxsize=8)
def _parse(pem: bytes) -> PrivateKey:
    private = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(private, PrivateKey)  # noqa: S101
    return private


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_pem(key: PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _write_new(path: Path, content: bytes, mode: int) -> bool:
    """Whole or not at all, and whoever comes first wins: processes start at the same time."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(fresh, content, mode)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    return True


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
