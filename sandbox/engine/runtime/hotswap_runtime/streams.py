"""Standard output and error are the plugin's log, and ``ctx.log`` and ``ctx.metric`` end here too."""

import sys
from io import TextIOWrapper

MAX_METRICS_PER_CALL = 100


class LogStream(TextIOWrapper):
    """Remembers that something was printed, so that the host reads the log before it answers the call."""

    printed = False

    def write(self, text):
        LogStream.printed = True
        return super().write(text)


def replace_streams():
    """Make prints appear line by line, also when the process is killed a moment later."""
    for name in ("stdout", "stderr"):
        buffer = getattr(sys, name).detach()
        stream = LogStream(buffer, "utf-8", "backslashreplace", "\n", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, "__%s__" % name, stream)


def flush_streams():
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

    def __init__(self):
        self.metrics = None

    def log(self, message, fields):
        """Print one line with the fields behind the message."""
        parts = ["%s=%r" % item for item in fields.items()]
        print(message, *parts)

    def metric(self, name, value, labels):
        """Keep a sample; more than the host would take are dropped here."""
        if self.metrics is None:
            self.metrics = []
        if len(self.metrics) < MAX_METRICS_PER_CALL:
            self.metrics.append([str(name), float(value), {k: str(v) for k, v in labels.items()}])
