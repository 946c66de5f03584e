"""What an approval says, signed by the platform so that an instance can trust it without asking.

Pure of Django: instances verify with the public keys alone.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hotswap.lib.errors import HotSwapError
from plugins.jsonvalues import canonical_json
from plugins.trust.dsse import envelope_digest, read_envelope

# Keeps this signature from ever being taken for one over something else. The first form says
# nothing of a publisher's signature, so an approval of it fits unsigned versions only.
_PURPOSE, _FIRST_PURPOSE = b"hotswap approval 2\n", b"hotswap approval 1\n"
_SECOND_FORM = ("signature_digest", "publisher_key")


class ApprovalError(HotSwapError):
    """The approval is missing, altered, or about something else."""

    code = "approval_invalid"


def make_statement(
    *,
    plugin: str,
    version: str,
    artifact_digest: str,
    manifest_digest: str,
    lock_digest: str,
    permissions: Mapping[str, Any],
    approvers: Iterable[int],
    signature: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the approvers said yes to; ``approvers`` are ids of users.

    ``signature`` is the publisher's envelope: its digest and the id of its key become part of the
    statement, both empty for a version that no publisher signed.
    """
    return {
        "plugin": plugin,
        "version": version,
        "artifact_digest": artifact_digest,
        "manifest_digest": manifest_digest,
        "lock_digest": lock_digest,
        "permissions": dict(permissions),
        "approvers": sorted(approvers),
        "signature_digest": envelope_digest(signature),
        "publisher_key": read_envelope(signature).key_id if signature else "",
    }


def sign_approval(statement: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The platform's countersignature, base64."""
    return base64.b64encode(key.sign(_signed_bytes(statement))).decode()


def verify_approval(
    approval: Mapping[str, Any] | None, signature_b64: str, *public_keys: Ed25519PublicKey
) -> None:
    """Raise ``ApprovalError`` unless one of the keys signed exactly this statement."""
    if not approval:
        raise ApprovalError("The version is not approved.")
    try:
        signature = base64.b64decode(signature_b64, validate=True)
    except binascii.Error as error:
        raise ApprovalError("The approval's signature is not base64.") from error
    if not any(_is_signed_by(key, signature, approval) for key in public_keys):
        raise ApprovalError("The approval is not signed by this platform, or was altered.")


def check_subject(approval: Mapping[str, Any], **expected: Any) -> None:
    """Raise unless the (verified) approval is about these: ``plugin``, ``artifact_digest`` …"""
    for name, value in expected.items():
        if approval.get(name, "" if name in _SECOND_FORM else None) != value:
            raise ApprovalError(f"The approval is about another {name.replace('_', ' ')}.")


def _is_signed_by(key: Ed25519PublicKey, signature: bytes, approval: Mapping[str, Any]) -> bool:
    try:
        key.verify(signature, _signed_bytes(approval))
    except InvalidSignature:
        return False
    return True


def _signed_bytes(statement: Mapping[str, Any]) -> bytes:
    is_second = any(name in statement for name in _SECOND_FORM)
    return (_PURPOSE if is_second else _FIRST_PURPOSE) + canonical_json(dict(statement))
