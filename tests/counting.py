"""A pytest plugin that writes how many tests passed, failed and were skipped to
HOTSWAP_TEST_COUNTS.
"""

import json
import os
from pathlib import Path

_COLUMNS = {
    "passed": ("passed", "xfailed"),
    "failed": ("failed", "error", "xpassed"),
    "skipped": ("skipped",),
}


def pytest_terminal_summary(terminalreporter) -> None:
    stats = terminalreporter.stats
    counts = {name: sum(len(stats.get(key, [])) for key in keys) for name, keys in _COLUMNS.items()}
    Path(os.environ["HOTSWAP_TEST_COUNTS"]).write_text(json.dumps(counts))
