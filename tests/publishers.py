"""Publishers' keys and signatures for tests."""

import json
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.models import PublisherKey
from plugins.trust.keyfiles import public_pem
from plugins.trust.publisher_keys import register_publisher_key
from plugins.trust.signing import describe_artifact
from plugins.trust.statements import sign_version


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
        return replace(describe_artifact(Path(file.name)), **changes)
