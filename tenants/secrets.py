"""Envelope encryption: one data key per tenant, wrapped by the platform's key-encryption key.

Each ciphertext is bound to the place of its row, so a row copied elsewhere does not open. Without
a tenant's data key nothing of that tenant can be read again, in no backup either.
"""

import hashlib
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hotswap.lib.errors import HotSwapError
from hotswap.lib.keys import key_encryption_key
from tenants.models import Tenant, TenantDataKey, TenantPluginConfig, TenantSecret

FORMAT = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12


class SecretUnreadableError(HotSwapError):
    """A stored secret or data key does not open: altered, moved, or under another platform key."""

    code = "secret_unreadable"


def store_secret(installation: TenantPluginConfig, name: str, value: str) -> bool:
    """Write the value in place of the one before; whether there was none. Call in a transaction."""
    data_key = _data_key(installation.tenant_id, make=True)
    place = _place_of(installation, name)
    _, created = TenantSecret.objects.update_or_create(
        installation=installation,
        key=name,
        defaults={
            "tenant_id": installation.tenant_id,
            "ciphertext": _encrypt(data_key, value.encode(), place),
        },
    )
    return created


def reveal_secrets(installation: TenantPluginConfig) -> dict[str, str]:
    """Name to value. Only for sealing and for the platform's own processes; never for an answer."""
    rows = list(TenantSecret.objects.filter(installation=installation).order_by("key"))
    if not rows:
        return {}
    data_key = _data_key(installation.tenant_id)
    return {row.key: _reveal(installation, row, data_key) for row in rows}


def destroy_data_key(tenant: Tenant) -> None:
    """Make every secret of the tenant unreadable for ever."""
    TenantDataKey.objects.filter(tenant=tenant).delete()
    TenantSecret.objects.filter(tenant=tenant).delete()


def _reveal(installation: TenantPluginConfig, row: TenantSecret, data_key: bytes) -> str:
    place = _place_of(installation, row.key)
    try:
        return _decrypt(data_key, row.ciphertext, place).decode()
    except InvalidTag as error:
        raise SecretUnreadableError(
            f"secret {row.key} of installation {installation.pk} was altered or moved; set it again"
        ) from error


def _data_key(tenant_id: UUID, *, make: bool = False) -> bytes:
    platform_key = key_encryption_key()
    place = f"tenant-data-key:{tenant_id}".encode()
    row = TenantDataKey.objects.filter(tenant_id=tenant_id).first()
    if row is None and make:
        fresh = _encrypt(platform_key, secrets.token_bytes(KEY_BYTES), place)
        # Whoever comes first wins, and everybody uses what is in the row.
        row, _ = TenantDataKey.objects.get_or_create(
            tenant_id=tenant_id,
            defaults={"wrapped": fresh, "key_id": fingerprint(platform_key)},
        )
    if row is None:
        raise SecretUnreadableError(f"tenant {tenant_id} has no data key; set its secrets again")
    try:
        return _decrypt(platform_key, row.wrapped, place)
    except InvalidTag as error:
        raise SecretUnreadableError(
            f"the data key of tenant {tenant_id} does not open with the platform's key "
            f"{fingerprint(platform_key)}: it was wrapped by {row.key_id}; bring that key back"
        ) from error


def fingerprint(platform_key: bytes) -> str:
    """Names a key-encryption key without telling anything of it."""
    return hashlib.sha256(b"hotswap kek " + platform_key).hexdigest()[:16]


def _place_of(installation: TenantPluginConfig, name: str) -> bytes:
    return f"secret:{installation.tenant_id}:{installation.pk}:{name}".encode()


def _encrypt(key: bytes, plaintext: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, FORMAT + place)


def _decrypt(key: bytes, stored: bytes | memoryview, place: bytes) -> bytes:
    stored = bytes(stored)
    nonce, ciphertext = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
    if stored[:1] != FORMAT or not ciphertext:
        raise InvalidTag
    return AESGCM(key).decrypt(nonce, ciphertext, FORMAT + place)
