"""Signing an artifact where its author works: what is signed is read from the artifact itself."""

from hashlib import file_digest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.artifact_check import read_artifact
from plugins.trust.dsse import Envelope
from plugins.trust.statements import SignedVersion, sign_version


def sign_artifact(path: Path, key: Ed25519PrivateKey) -> tuple[SignedVersion, Envelope]:
    """What was signed and the envelope; an artifact that an upload would refuse is refused."""
    name = path.name if path.suffix == ".whl" else None
    signed = describe_artifact(path, filename=name)
    return signed, sign_version(signed, key)


def describe_artifact(path: Path, *, filename: str | None = None) -> SignedVersion:
    manifest = read_artifact(path, filename=filename).manifest
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return SignedVersion(
        plugin=manifest.name,
        version=manifest.version,
        artifact_sha256=digest,
        manifest_sha256=manifest.digest(),
        permissions=manifest.as_dict()["permissions"],
    )
