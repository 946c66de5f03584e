"""What an instance checks by itself before it runs a version, whatever the control plane says."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deployments.instance.facts import REVOKED, VersionFact
from hotswap.lib.errors import HotSwapError
from plugins.approval import check_subject, verify_approval
from plugins.manifest import load_manifest
from plugins.manifest_types import Manifest
from plugins.trust.dsse import SignatureInvalidError, envelope_digest, read_envelope
from plugins.trust.keyfiles import KeyUnsuitableError, key_id, read_public_key
from plugins.trust.statements import SignedVersion, verify_version

LOADABLE = frozenset({"approved", "deprecated", "yanked"})
UNAPPROVED_LOADABLE = LOADABLE | {"draft"}


class VersionRefusedError(HotSwapError):
    """The version must not run here; the message says why."""

    code = "version_refused"


def vet_version(
    version: VersionFact, keys: Sequence[Ed25519PublicKey], *, approved_only: bool
) -> Manifest:
    """Its manifest, once status, digests, signature and the countersigned approval agree."""
    name = f"{version.plugin} {version.version}"
    if version.status == REVOKED:
        raise VersionRefusedError(f"{name} is revoked.", code="version_revoked")
    if version.status not in (LOADABLE if approved_only else UNAPPROVED_LOADABLE):
        raise VersionRefusedError(f"{name} is {version.status}: approve it before it can run here.")
    manifest = _read_manifest(version, name)
    if version.status in LOADABLE and (approved_only or version.approval):
        _check_approval(version, keys)
    _check_signature(version, name)
    return manifest


def _read_manifest(version: VersionFact, name: str) -> Manifest:
    """Unread if it has another digest: an altered one need not even be a manifest."""
    try:
        manifest = load_manifest(version.manifest)
    except HotSwapError as error:
        raise _altered(name) from error
    if manifest.digest() != version.manifest_digest:
        raise _altered(name)
    return manifest


def _altered(name: str) -> VersionRefusedError:
    return VersionRefusedError(
        f"The manifest of {name} is not the one that was uploaded.", code="manifest_tampered"
    )


def _check_approval(version: VersionFact, keys: Sequence[Ed25519PublicKey]) -> None:
    verify_approval(version.approval, version.approval_signature, *keys)
    check_subject(
        version.approval or {},
        plugin=version.plugin,
        version=version.version,
        artifact_digest=version.artifact_digest,
        manifest_digest=version.manifest_digest,
        lock_digest=version.lock_digest,
        permissions=version.manifest.get("permissions", {}),
        signature_digest=envelope_digest(version.signature),
        publisher_key=version.publisher_key_id,
    )


def _check_signature(version: VersionFact, name: str) -> None:
    """Its publisher's, by the key that the row names; whose key that is was asked at approval.

    Only a revocation counts here, not the key's times: it was valid when it was used.
    """
    if not version.signature:
        if version.publisher_key_id:
            raise SignatureInvalidError(f"{name} was signed, and its row lacks the signature now.")
        return
    if version.is_publisher_key_revoked:
        raise VersionRefusedError(
            f"{name} is signed with key {version.publisher_key_id[:12]}, which is revoked: deploy "
            "a version that is signed with another.",
            code="publisher_key_revoked",
        )
    envelope = read_envelope(version.signature)
    try:
        public = read_public_key(version.publisher_key)
    except KeyUnsuitableError as error:
        raise _other_key(name) from error
    if not key_id(public) == envelope.key_id == version.publisher_key_id:
        raise _other_key(name)
    expected = SignedVersion(
        plugin=version.plugin,
        version=version.version,
        artifact_sha256=version.artifact_digest,
        manifest_sha256=version.manifest_digest,
        permissions=version.manifest.get("permissions", {}),
    )
    verify_version(envelope, public, expected)


def _other_key(name: str) -> SignatureInvalidError:
    return SignatureInvalidError(f"The key in the row of {name} is not the one that signed it.")
