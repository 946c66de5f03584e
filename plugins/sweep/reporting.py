"""Findings reach people: an audit event for each, and an alarm for what may be an attack."""

import structlog
from django.db import transaction

from observability.audit import record_event
from plugins.sweep.findings import Problem, SweepFinding

logger = structlog.get_logger(__name__)
ALARM = "integrity_alarm"
_ORPHAN = "artifact_orphaned"


def report(finding: SweepFinding, *, by: str = "platform") -> None:
    """Written down even when the storage fails at the next object."""
    action = f"artifact.{finding.way_out if finding.is_mended else finding.problem}"
    described = {name: value for name, value in finding.as_dict().items() if name != "key"}
    with transaction.atomic():
        record_event(
            actor=by,
            action=action,
            object_type="artifact",
            object_id=finding.key.rpartition("/")[2][:80],
            after=described,
        )
    if finding.is_mended:
        logger.info(action, key=finding.key, by=by)
    elif finding.problem is Problem.ORPHANED:
        logger.warning(_ORPHAN, key=finding.key, size=finding.size)
    else:
        logger.error(ALARM, code=f"artifact_{finding.problem}", **finding.as_dict())
