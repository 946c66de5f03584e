"""Who an instance is: its id, its key pair and what only it can derive from that key.

home/lock               held while the process lives: two of one name would serve as one
home/identity/key       X25519 private key, 32 bytes, mode 0600
home/identity/id        the id of its row
home/snapshot/…         what it knows, apart from the key (see snapshot_file)
"""

import fcntl
import os
import secrets
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hotswap.lib.errors import ConflictError, UnavailableError
from hotswap.lib.sealing import public_key_of

KEY_BYTES = 32


@dataclass(frozen=True)
class Identity:
    name: str
    id: str
    home: Path
    private_key: X25519PrivateKey

    @cached_property
    def public_key(self) -> str:
        """Base64; secrets are sealed to it."""
        return public_key_of(self.private_key)

    def derive(self, purpose: bytes) -> bytes:
        """A key for one purpose that nobody without the private key can make."""
        raw = self.private_key.private_bytes_raw()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(raw)

    def renamed(self, instance_id: str) -> "Identity":
        """The same under the id that the database knows; kept for a start without it."""
        write_private(self.home / "identity" / "id", instance_id.encode())
        return replace(self, id=instance_id)


def open_identity(name: str, home: Path) -> Identity:
    """Read the identity in ``home``, or make it the first time. The directory is 0700."""
    directory = home / "identity"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (home, directory):
        path.chmod(0o700)
    try:
        key = _read_or_make(directory / "key", secrets.token_bytes(KEY_BYTES))
        instance_id = _read_or_make(directory / "id", str(uuid4()).encode()).decode()
        private = X25519PrivateKey.from_private_bytes(key)
        return Identity(name, str(UUID(instance_id)), home, private)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"The identity of instance {name} in {directory} cannot be read ({error}): restore it, "
            "or remove the directory to start as a new instance."
        ) from error


def hold_name(home: Path) -> int:
    """Keep every other process of this name out until this one ends; the descriptor is the lock."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConflictError(
            f"Instance {home.name} runs already on this machine: stop it or choose another name."
        ) from error
    return descriptor


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, mode 0600."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _read_or_make(path: Path, fresh: bytes) -> bytes:
    if not path.exists():
        write_private(path, fresh)
    return path.read_bytes()
