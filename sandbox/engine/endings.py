"""Why a process ended, from its exit status and its cgroup."""

import signal
import time
from dataclasses import dataclass, field, replace

from sandbox.engine.launch import Jailed
from sandbox.engine.result import OutcomeCode
from sandbox.engine.spec import Limits

SIGNAL_BASE = 128  # bubblewrap exits with 128 + signal, as shells do
CRASH_CODES = {OutcomeCode.CRASHED, OutcomeCode.PROTOCOL_ERROR, OutcomeCode.MEMORY_LIMIT}


@dataclass(frozen=True, slots=True)
class Ending:
    """The code that the calls in the process get."""

    code: OutcomeCode
    message: str
    at: float = field(default_factory=time.monotonic)

    @property
    def is_crash(self) -> bool:
        """Whether it counts towards a crash loop."""
        return self.code in CRASH_CODES

    def for_bystander(self) -> "Ending":
        """For another call in the same process."""
        message = f"another call of the same process ended it: {self.message}"
        return replace(self, code=OutcomeCode.CRASHED, message=message)


def ending_of(jailed: Jailed, limits: Limits) -> Ending:
    """Of a process that ended by itself and was reaped."""
    status = jailed.popen.returncode
    number = status - SIGNAL_BASE if status > SIGNAL_BASE else -status if status < 0 else 0
    if jailed.oom_kills():
        return Ending(
            OutcomeCode.MEMORY_LIMIT, f"more than {limits.memory_mb} MB of memory were needed"
        )
    if number == 0:
        return Ending(OutcomeCode.CRASHED, f"the process ended itself with status {status}")
    hint = ", which the kernel also sends when memory runs out" if number == signal.SIGKILL else ""
    return Ending(OutcomeCode.CRASHED, f"the process was ended by {signal_name(number)}{hint}")


def signal_name(number: int) -> str:
    """SIGSEGV rather than 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
