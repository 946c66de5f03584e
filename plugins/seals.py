"""Whether a version's two signatures hold, in words: the platform's at approval, a publisher's."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from hotswap.lib.errors import HotSwapError
from hotswap.lib.keys import signing_public_keys
from plugins.approval import check_subject, verify_approval
from plugins.models import LOADABLE, PluginVersion
from plugins.trust.dsse import envelope_digest


@dataclass(frozen=True, slots=True)
class Seal:
    """``state`` is none, valid, or broken, which nobody should overlook."""

    state: str
    words: str


def seal_of(version: PluginVersion) -> Seal:
    """What an instance will find when it checks the approval before it loads the version."""
    if not version.approval and version.status in LOADABLE:
        return Seal("broken", "Not countersigned by the platform: instances refuse to load it.")
    if not version.approval:
        return Seal("none", "Not approved, so not countersigned.")
    try:
        keys = signing_public_keys(settings.PUBLIC_KEYS_DIR)
        verify_approval(version.approval, version.approval_signature, *keys)
        check_subject(
            version.approval,
            plugin=version.plugin.name,
            version=version.version,
            artifact_digest=version.artifact_digest,
            manifest_digest=version.manifest_digest,
            lock_digest=version.lock_digest,
            permissions=version.manifest.get("permissions", {}),
            signature_digest=envelope_digest(version.signature),
            publisher_key=version.signed_by_id or "",
        )
    except HotSwapError as error:
        return Seal("broken", f"{error.message} Instances refuse to load it.")
    return Seal(
        "valid", "Countersigned by the platform over artifact, manifest, dependencies and grants."
    )


def publisher_seal(version: PluginVersion) -> Seal:
    """Who signed the upload. The signature itself was checked then and is again at approval."""
    key = version.signed_by
    if key is None:
        asked = " Its plugin asks for one." if version.plugin.requires_signature else ""
        return Seal("broken" if asked else "none", f"Not signed by its publisher.{asked}")
    words = f"Signed by {key.publisher.get_username()} with the key {key.name}"
    if key.revoked_at:
        reason = f": {key.revocation_reason}" if key.revocation_reason else ""
        return Seal("broken", f"{words}, which was revoked since{reason}.")
    if key.not_after <= timezone.now():
        return Seal("valid", f"{words}, which has ended since then.")
    return Seal("valid", f"{words}.")
