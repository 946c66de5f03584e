"""What the worker does with what was observed."""

import structlog
from celery import shared_task
from django.utils import timezone

from hotswap.lib.database import scope_all
from observability.rollup import forget, roll_up

logger = structlog.get_logger(__name__)


@shared_task
def roll_up_calls() -> None:
    """Make hours of seconds, then forget what is too old. Safe to run twice, or an hour late."""
    with scope_all():
        now = timezone.now()
        roll_up(now)
        logger.info("calls_rolled_up", forgotten=forget(now))
