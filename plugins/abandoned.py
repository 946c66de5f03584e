"""Uploads that were put and never completed, and leave that was never used."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone

from plugins.models import PresignedUpload
from plugins.storage import ArtifactStore
from plugins.storage.names import STAGING

logger = structlog.get_logger(__name__)

# A PUT that began in time may end later.
LEFT_ALONE = timedelta(hours=1)
# For so long a row can say why it cannot be completed.
REMEMBERED = timedelta(days=1)


def sweep_uploads() -> int:
    """Remove what nobody can complete; returns the number of objects. Safe to run twice."""
    store, now, removed = ArtifactStore(), timezone.now(), 0
    for found in store.backend.objects(STAGING):
        name = found.key.removeprefix(STAGING)
        if found.modified < now - LEFT_ALONE and not is_open(name):
            store.backend.delete(found.key)
            removed += 1
    abandoned = PresignedUpload.objects.filter(completed_at=None)
    abandoned.filter(expires_at__lt=now - REMEMBERED).delete()
    if removed:
        logger.info("uploads_swept", removed=removed)
    return removed


def is_open(name: str) -> bool:
    """Whether somebody may still complete the upload that is staged under this name."""
    try:
        pk = UUID(name)
    except ValueError:
        return False
    waiting = PresignedUpload.objects.filter(pk=pk, completed_at=None)
    return waiting.filter(expires_at__gt=timezone.now() - LEFT_ALONE).exists()
