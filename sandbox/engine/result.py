"""How a call ends. A plugin's failure is one of these values, never an exception."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeCode(StrEnum):
    """Stable codes; API clients and windows count by them."""

    OK = "ok"
    PLUGIN_ERROR = "plugin_error"
    TIMEOUT = "timeout"
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROTOCOL_ERROR = "protocol_error"
    CRASHED = "crashed"
    NOT_READY = "not_ready"
    DRAINING = "draining"
    QUOTA_EXCEEDED = "quota_exceeded"
    EGRESS_DENIED = "egress_denied"
    CONFIG_INVALID = "config_invalid"
    VERSION_REVOKED = "version_revoked"
    PLUGIN_DISABLED = "plugin_disabled"
    SNAPSHOT_EXPIRED = "snapshot_expired"


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample that a plugin sent with its answer. The host keeps only declared names."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``result`` is JSON and set only when ok.

    ``started``: the call was handed to a process, so it may have acted.

    ``retry_after_seconds`` is set where the same call may succeed later (not_ready, draining).
    """

    code: OutcomeCode
    result: bytes | None = None
    message: str = ""
    wall_seconds: float = 0.0
    started: bool = False
    logs: str = ""
    metrics: tuple[Metric, ...] = ()
    retry_after_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the plugin answered with a result."""
        return self.code is OutcomeCode.OK


@dataclass(frozen=True, slots=True)
class Examination:
    """What a version said about itself.

    An empty text means that the hook passed or does not exist.
    """

    liveness: str
    readiness: str
    outcomes: tuple[Outcome, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether both hooks passed."""
        return not self.liveness and not self.readiness


class LoadFailed(Exception):  # noqa: N818 - the name says what happened to the version
    """A version could not be started. ``reason`` is one sentence, ``log`` what it printed."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


class JailUnavailable(LoadFailed):
    """This machine cannot give the jail that was asked for; no version is to blame."""
