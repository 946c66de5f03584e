"""What an instance checks by itself before it runs a version, whatever the control plane says."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deployments.instance.facts import REVOKED, VersionFact
from hotswap.lib.errors import HotSwapError
from plugins.approval import check_subject, verify_approval
from plugins.manifest import load_manifest
from plugins.manifest_types import Manifest

LOADABLE = frozenset({"approved", "deprecated", "yanked"})
UNAPPROVED_LOADABLE = LOADABLE | {"draft"}


class VersionRefusedError(HotSwapError):
    """The version must not run here; the message says why."""

    code = "version_refused"


def vet_version(
    version: VersionFact, keys: Sequence[Ed25519PublicKey], *, approved_only: bool
) -> Manifest:
    """Its manifest, once status, digests and the countersigned approval agree."""
    name = f"{version.plugin} {version.version}"
    if version.status == REVOKED:
        raise VersionRefusedError(f"{name} is revoked.", code="version_revoked")
    if version.status not in (LOADABLE if approved_only else UNAPPROVED_LOADABLE):
        raise VersionRefusedError(f"{name} is {version.status}: approve it before it can run here.")
    manifest = load_manifest(version.manifest)
    if manifest.digest() != version.manifest_digest:
        raise VersionRefusedError(f"The manifest of {name} is not the one that was uploaded.")
    if version.status in LOADABLE and (approved_only or version.approval):
        verify_approval(version.approval, version.approval_signature, *keys)
        check_subject(
            version.approval or {},
            plugin=version.plugin,
            version=version.version,
            artifact_digest=version.artifact_digest,
            manifest_digest=version.manifest_digest,
            lock_digest=version.lock_digest,
        )
    return manifest
