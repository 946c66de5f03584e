"""The registry's work beside requests: each message is only a hint, the rows say what is due."""

import structlog
from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from hotswap.lib.database import scope_all
from plugins.abandoned import sweep_uploads
from plugins.models import PluginVersion
from plugins.resolving.running import resolve_waiting
from plugins.sweep.nightly import begin_sweep, continue_sweep

logger = structlog.get_logger(__name__)


@shared_task
def resolve_dependencies() -> None:
    """Resolve what waits, or was left by a worker that died. Safe to run twice or concurrently."""
    with scope_all():
        resolve_waiting()


@shared_task
def sweep_presigned_uploads() -> None:
    """What was put into the storage and never completed. Safe to run twice."""
    sweep_uploads()


@shared_task
def begin_storage_sweep() -> None:
    """Begin to read every stored object again; one that is under way goes on."""
    begin_sweep()


@shared_task
def continue_storage_sweep() -> None:
    """A piece of it, within seconds. Safe to run twice or concurrently."""
    with scope_all():
        continue_sweep()


def hint_resolution(version: PluginVersion) -> None:
    """Hurry a worker; without the broker, beat finds the row."""
    if version.manifest.get("dependencies", {}).get("python"):
        try:
            resolve_dependencies.delay()
        except OperationalError:
            logger.warning("resolution_not_hinted", version=str(version))


def hint_resolution_on_commit(version: PluginVersion) -> None:
    transaction.on_commit(lambda: hint_resolution(version), robust=True)
