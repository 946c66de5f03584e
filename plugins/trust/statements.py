"""What a publisher's signature says: an in-toto Statement over names and digests.

Names are inside what is signed: two contents that change places no longer fit the statement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from plugins.jsonvalues import canonical_json
from plugins.trust.dsse import (
    Envelope,
    SignatureInvalidError,
    read_strictly,
    sign_payload,
    verify_envelope,
)

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://hotswap.example/attestations/plugin-version/v1"


@dataclass(frozen=True, slots=True)
class SignedVersion:
    """What is signed of a version; ``permissions`` as in the canonical manifest."""

    plugin: str
    version: str
    artifact_sha256: str
    manifest_sha256: str
    permissions: Mapping[str, Any]

    def subjects(self) -> dict[str, str]:
        """Name to sha256. The names do not depend on how a file was called on some disk."""
        prefix = f"{self.plugin}/{self.version}"
        return {
            f"{prefix}/artifact": self.artifact_sha256,
            f"{prefix}/hotswap.toml": self.manifest_sha256,
        }

    def predicate(self) -> dict[str, Any]:
        return {
            "plugin": self.plugin,
            "version": self.version,
            "manifest_sha256": self.manifest_sha256,
            "permissions": dict(self.permissions),
        }


def make_statement(signed: SignedVersion) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in signed.subjects().items()
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": signed.predicate(),
    }


def sign_version(signed: SignedVersion, key: Ed25519PrivateKey) -> Envelope:
    return sign_payload(canonical_json(make_statement(signed)), key)


def verify_version(envelope: Envelope, key: Ed25519PublicKey, expected: SignedVersion) -> None:
    """Raise ``SignatureInvalidError`` unless the key signed exactly this version."""
    statement = read_strictly(verify_envelope(envelope, key))
    if not isinstance(statement, Mapping):
        raise SignatureInvalidError("What was signed is no in-toto Statement.")
    kinds = statement.get("_type"), statement.get("predicateType")
    if kinds != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise SignatureInvalidError("What was signed is no statement about a plugin's version.")
    if _subjects(statement.get("subject")) != expected.subjects():
        raise _another("artifact or manifest", expected)
    predicate = statement.get("predicate")
    if not isinstance(predicate, Mapping):
        raise SignatureInvalidError("What was signed has no predicate.")
    # Members that this release does not know say nothing to it.
    for name, value in expected.predicate().items():
        if not _is_same(predicate.get(name), value):
            raise _another(name, expected)


def _is_same(found: Any, expected: Any) -> bool:
    """As JSON: a stranger's true is not our 1."""
    try:
        return canonical_json(found) == canonical_json(expected)
    except (ValueError, RecursionError):
        return False


def _subjects(value: Any) -> dict[str, str]:
    """Names with their sha256; what has another shape, or a name twice, equals nothing."""
    found: dict[str, str] = {}
    for subject in value if isinstance(value, list) else ():
        name = subject.get("name") if isinstance(subject, Mapping) else None
        digest = subject.get("digest") if isinstance(subject, Mapping) else None
        sha256 = digest.get("sha256") if isinstance(digest, Mapping) else None
        if not isinstance(name, str) or not isinstance(sha256, str) or name in found:
            return {}
        found[name] = sha256
    return found


def _another(what: str, expected: SignedVersion) -> SignatureInvalidError:
    return SignatureInvalidError(
        f"The signature is about another {what} than that of {expected.plugin} "
        f"{expected.version}: sign this artifact with 'manage.py signplugin'."
    )
