"""Standard output and error are the plugin's log; ``ctx.log`` and ``ctx.metric`` end here too."""

from __future__ import annotations

import sys
from io import TextIOWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_METRICS_PER_CALL = 100


class LogStream(TextIOWrapper):
    """Remembers that something was printed: then the host reads the log before it answers."""

    printed = False

    def write(self, text: str) -> int:
        LogStream.printed = True
        return super().write(text)


def replace_streams() -> None:
    """Make prints appear line by line, also when the process is killed a moment later."""
    for name in ("stdout", "stderr"):
        buffer = getattr(sys, name).detach()
        stream = LogStream(buffer, "utf-8", "backslashreplace", "\n", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush_streams() -> bool:
    """True when something was printed since the last time; it is in the pipe now."""
    if not LogStream.printed:
        return False
    LogStream.printed = False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    return True


class Sink:
    """Where one call's metrics wait for its answer."""

    __slots__ = ("metrics",)

    def __init__(self) -> None:
        self.metrics: list[Any] | None = None

    def log(self, message: str, fields: Mapping[str, Any]) -> None:
        """Print one line with the fields behind the message."""
        parts = [message, *(f"{name}={value!r}" for name, value in fields.items())]
        sys.stdout.write(" ".join(map(str, parts)) + "\n")

    def metric(self, name: str, value: float, labels: Mapping[str, Any]) -> None:
        """Keep a sample; more than the host would take are dropped here."""
        if self.metrics is None:
            self.metrics = []
        if len(self.metrics) < MAX_METRICS_PER_CALL:
            texts = {str(label): str(text) for label, text in labels.items()}
            self.metrics.append([str(name), float(value), texts])
