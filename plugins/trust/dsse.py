"""DSSE envelopes with one Ed25519 signature: https://github.com/secure-systems-lab/dsse

Pure of Django: authors sign offline with it, and instances verify with what their rows say.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hotswap.lib.errors import InvalidInputError
from plugins.jsonvalues import canonical_json
from plugins.trust.keyfiles import key_id

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 32 * 1024
_KEY_ID = re.compile(r"[0-9a-f]{64}")
_SIGNATURE_BYTES = 64


class SignatureInvalidError(InvalidInputError):
    """The signature is malformed, of another key, or about something else."""

    code = "signature_invalid"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload and the signature over it; ``key_id`` is a hint until a key has verified it."""

    payload: bytes
    key_id: str
    signature: bytes
    payload_type: str = PAYLOAD_TYPE

    def as_dict(self) -> dict[str, Any]:
        """The one spelling that is stored and digested, whichever was sent."""
        signature = {"keyid": self.key_id, "sig": _encode(self.signature)}
        return {
            "payload": _encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [signature],
        }


def sign_payload(payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    signature = key.sign(_signed_bytes(PAYLOAD_TYPE, payload))
    return Envelope(payload, key_id(key.public_key()), signature)


def verify_envelope(envelope: Envelope, key: Ed25519PublicKey) -> bytes:
    """The very bytes that the key signed, or ``SignatureInvalidError``."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise SignatureInvalidError(f"The signature's payloadType is not {PAYLOAD_TYPE}.")
    try:
        key.verify(envelope.signature, _signed_bytes(envelope.payload_type, envelope.payload))
    except InvalidSignature as error:
        raise SignatureInvalidError(
            f"The signature was not made by key {key_id(key)[:12]}, or what it signs was altered: "
            "sign the artifact again with 'manage.py signplugin'."
        ) from error
    return envelope.payload


def parse_envelope(text: str | bytes) -> Envelope:
    """Read the JSON of an envelope as an author sends it."""
    if len(text) > MAX_ENVELOPE_BYTES:
        raise SignatureInvalidError(f"A signature has at most {MAX_ENVELOPE_BYTES} bytes.")
    return read_envelope(read_strictly(text))


def read_envelope(value: Any) -> Envelope:
    """The same from a value. Unknown members are ignored, as the specification asks."""
    if not isinstance(value, Mapping):
        raise SignatureInvalidError("The signature is not a DSSE envelope: it is no JSON object.")
    signatures = value.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise SignatureInvalidError("A DSSE envelope here has exactly one signature.")
    (signature,) = signatures
    key_hint = signature.get("keyid") if isinstance(signature, Mapping) else None
    if not isinstance(key_hint, str) or not _KEY_ID.fullmatch(key_hint):
        raise SignatureInvalidError(
            "The signature's keyid is not the sha256 of a public key: 'manage.py makepublisherkey' "
            "prints it."
        )
    envelope = Envelope(
        payload=_decode(value.get("payload"), "payload"),
        key_id=key_hint,
        signature=_decode(signature.get("sig"), "sig"),
        payload_type=str(value.get("payloadType")),
    )
    if len(envelope.signature) != _SIGNATURE_BYTES:
        raise SignatureInvalidError("The signature is not an Ed25519 signature of 64 bytes.")
    return envelope


def envelope_digest(envelope: Mapping[str, Any] | None) -> str:
    """What an approval binds; empty without a signature."""
    return sha256(canonical_json(dict(envelope))).hexdigest() if envelope else ""


def read_strictly(text: str | bytes) -> Any:
    """JSON without a name twice: two readers must not see two statements in one text."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SignatureInvalidError(f"The signature is not JSON: {error}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """PAE of the specification: lengths before contents, so that nothing reads in two ways."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: Any, name: str) -> bytes:
    """Either alphabet: the specification has verifiers accept both."""
    if not isinstance(text, str):
        raise SignatureInvalidError(f"The envelope's {name} is no text.")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalidError(f"The envelope's {name} is not base64.") from error
