"""Says it loudly when a version is not what was approved: log, ``/metrics``, control plane."""

from dataclasses import dataclass

import structlog

from deployments.instance.facts import VersionFact
from hotswap.lib.errors import HotSwapError

logger = structlog.get_logger(__name__)

EVENT = "integrity_alarm"
# Each says that something was altered, or signed with a key that counts no more. A load that fails
# for any other reason is only a load that failed.
INTEGRITY_CODES = frozenset(
    {
        "approval_invalid",
        "artifact_tampered",
        "layer_tampered",
        "lock_tampered",
        "manifest_tampered",
        "publisher_key_revoked",
        "signature_invalid",
    }
)


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One kind of finding about one version since the start, as it is reported."""

    version_id: str
    plugin: str
    version: str
    code: str
    detail: str
    times: int


class Alarms:
    """``rows`` by version and code; a repeated finding replaces its row by one with more times."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], AlarmRow] = {}

    def notice(self, fact: VersionFact, error: BaseException) -> None:
        """Alarm if that is why the version was not loaded."""
        if not isinstance(error, HotSwapError) or error.code not in INTEGRITY_CODES:
            return
        key = (fact.id, error.code)
        known = self.rows.get(key)
        times = known.times + 1 if known else 1
        self.rows[key] = AlarmRow(
            fact.id, fact.plugin, fact.version, error.code, error.message, times
        )
        logger.error(
            EVENT,
            plugin=fact.plugin,
            version=fact.version,
            code=error.code,
            detail=error.message,
            times=times,
        )
