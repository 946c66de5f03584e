"""Publishers' keys and signatures for tests."""

import hashlib
import json
import tempfile
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.artifact_check import read_artifact
from plugins.models import PublisherKey
from plugins.trust.keyfiles import public_pem
from plugins.trust.publisher_keys import register_publisher_key
from plugins.trust.statements import SignedVersion, sign_version


class Publisher:
    """Somebody with a registered key."""

    def __init__(self, user, name="laptop"):
        self.private = Ed25519PrivateKey.generate()
        pem = public_pem(self.private.public_key())
        self.key = register_publisher_key(name=name, public_key=pem, by=user)

    def sign(self, artifact, **changes):
        """The text of an envelope over the artifact, or over something that differs from it."""
        return json.dumps(sign_version(described(artifact, **changes), self.private).as_dict())

    def set(self, **fields):
        """Change the key's row past every service."""
        PublisherKey.objects.filter(pk=self.key.pk).update(**fields)
        self.key.refresh_from_db()

    def expire(self):
        self.set(not_after=self.key.not_before + timedelta(microseconds=1))


def described(artifact, **changes):
    with tempfile.NamedTemporaryFile() as file:
        file.write(artifact)
        file.flush()
        manifest = read_artifact(Path(file.name)).manifest
    values = {
        "plugin": manifest.name,
        "version": manifest.version,
        "artifact_sha256": hashlib.sha256(artifact).hexdigest(),
        "manifest_sha256": manifest.digest(),
        "permissions": manifest.as_dict()["permissions"],
    }
    return SignedVersion(**values | changes)
