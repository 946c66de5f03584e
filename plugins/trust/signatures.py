"""A publisher's signature at upload and at approval. What instances ask is in their vetting.

An envelope carries no time that could be trusted, so a key's own times count when the platform sees
the signature: at upload and at approval. Once approved, only a revocation of the key matters.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from hotswap.lib.errors import InvalidInputError
from plugins.incoming import Incoming
from plugins.models import Plugin, PluginVersion, PublisherKey
from plugins.trust.dsse import Envelope, SignatureInvalidError, parse_envelope, read_envelope
from plugins.trust.keyfiles import read_public_key
from plugins.trust.publisher_keys import check_key_usable
from plugins.trust.statements import SignedVersion, verify_version


def signature_values(incoming: Incoming) -> Mapping[str, Any]:
    """The fields of a new version's row; raises where the signature or its absence is refused."""
    text = incoming.beside.signature
    if text is None:
        _refuse_unsigned(incoming.plugin, incoming.manifest.version)
        return {}
    envelope = parse_envelope(text)
    manifest = incoming.manifest
    expected = SignedVersion(
        plugin=manifest.name,
        version=manifest.version,
        artifact_sha256=incoming.artifact.digest,
        manifest_sha256=manifest.digest(),
        permissions=manifest.as_dict()["permissions"],
    )
    key = _check(envelope, incoming.plugin, expected, timezone.now())
    return {"signature": envelope.as_dict(), "signed_by": key}


def check_signature(version: PluginVersion) -> None:
    """The same again before an approval: the row, the key and the rules may be others by now."""
    if not version.signature:
        if version.signed_by_id:
            raise SignatureInvalidError(
                f"{version} was uploaded with a signature that its row lacks now: somebody removed "
                "it. Reject the version and find out who can write to the database."
            )
        _refuse_unsigned(version.plugin, version.version)
        return
    envelope = read_envelope(version.signature)
    if envelope.key_id != version.signed_by_id:
        raise SignatureInvalidError(f"The signature of {version} names another key than its row.")
    _check(envelope, version.plugin, signed_version(version), timezone.now())


def signed_version(version: PluginVersion) -> SignedVersion:
    return SignedVersion(
        plugin=version.plugin.name,
        version=version.version,
        artifact_sha256=version.artifact_digest,
        manifest_sha256=version.manifest_digest,
        permissions=version.manifest.get("permissions", {}),
    )


def _check(
    envelope: Envelope, plugin: Plugin, expected: SignedVersion, at: datetime
) -> PublisherKey:
    keys = PublisherKey.objects.select_related("publisher")
    key = keys.filter(key_id=envelope.key_id).first()
    if key is None:
        raise InvalidInputError(
            f"The signature's key {envelope.key_id[:12]} is not registered here: register its "
            "public half under /publisher-keys first.",
            code="publisher_key_unknown",
        )
    verify_version(envelope, read_public_key(key.public_key), expected)
    check_key_usable(key, plugin, at)
    return key


def _refuse_unsigned(plugin: Plugin, version: str) -> None:
    if plugin.requires_signature:
        raise InvalidInputError(
            f"Plugin {plugin.name} takes signed versions only, and {version} has no signature: "
            "make one with 'manage.py signplugin' and send it as the part 'signature'.",
            code="signature_required",
            fields={"signature": ["is required"]},
        )
