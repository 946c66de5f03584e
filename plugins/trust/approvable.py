"""What is looked at again before an approval is signed: the row, the signature and the bytes."""

import tempfile
from hashlib import sha256
from pathlib import Path

import structlog
from django.db import transaction

from hotswap.lib.errors import HotSwapError, UnavailableError
from observability.audit import record_event
from plugins.jsonvalues import canonical_json
from plugins.models import PluginVersion
from plugins.storage import ArtifactStore, ArtifactTamperedError
from plugins.trust.signatures import check_signature

logger = structlog.get_logger(__name__)
ALARM = "integrity_alarm"


class ManifestTamperedError(UnavailableError):
    """The manifest in a version's row is not the one that was uploaded."""

    code = "manifest_tampered"


def check_approvable(version: PluginVersion) -> None:
    """Raise unless the row and the stored artifact are what was uploaded, and signed as asked.

    What was tampered with alarms: a log event, and an audit event that outlives the refusal.
    """
    try:
        _check_manifest(version)
        _check_artifact(version)
    except (ManifestTamperedError, ArtifactTamperedError) as error:
        _alarm(version, error)
        raise
    check_signature(version)


def _check_manifest(version: PluginVersion) -> None:
    if sha256(canonical_json(version.manifest)).hexdigest() != version.manifest_digest:
        raise ManifestTamperedError(
            f"The manifest of {version} in the database is not the one that was uploaded. Reject "
            "the version and find out who can write to the database."
        )


def _check_artifact(version: PluginVersion) -> None:
    """Read once more, whole: the storage may have been written to since the upload."""
    with tempfile.TemporaryDirectory(prefix="hotswap-approval-") as directory:
        ArtifactStore().fetch(version.artifact_digest, Path(directory) / "artifact")


def _alarm(version: PluginVersion, error: HotSwapError) -> None:
    logger.error(ALARM, version=str(version), code=error.code, detail=error.message)
    with transaction.atomic():
        record_event(
            actor="platform",
            action="version.tampered",
            object_type="version",
            object_id=str(version),
            after={"code": error.code, "detail": error.message},
        )
