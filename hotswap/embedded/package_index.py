"""The package index that this machine's pip uses, for a demo system that resolves dependencies.

Only ``./dev up`` asks pip. HotSwap itself reads HOTSWAP_INDEX_URL and nothing else, so that a
production system never takes packages from wherever somebody once configured pip to look.
"""

import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

SECONDS = 20
# pip's own words: where it looks by default, which host has that index's files, what was set.
ASK = """
from pip._internal.configuration import Configuration
from pip._internal.exceptions import ConfigurationError
from pip._internal.models.index import PyPI

configuration = Configuration(isolated=False)
configuration.load()
print(PyPI.simple_url, PyPI.netloc, PyPI.file_storage_domain)
for section in (":env:", "install", "global"):
    try:
        print(configuration.get_value(f"{section}.index-url"))
    except ConfigurationError:
        pass
"""


def index_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """``settings`` with HOTSWAP_INDEX_URL and HOTSWAP_INDEX_FILE_HOSTS as pip has them.

    Nothing is added where somebody chose an index, or where there is no pip to ask.
    """
    if "HOTSWAP_INDEX_URL" in settings or "HOTSWAP_INDEX_URL_FILE" in settings:
        return dict(settings)
    return {**_of_pip(), **settings}


def _of_pip() -> dict[str, str]:
    lines = _ask_pip().splitlines()
    if not lines:
        return {}
    default, host, file_host = lines[0].split()
    url = lines[1] if len(lines) > 1 else default
    if urlsplit(url).scheme not in ("http", "https"):
        return {}
    found = {"HOTSWAP_INDEX_URL": url}
    if urlsplit(url).hostname == host:
        found["HOTSWAP_INDEX_FILE_HOSTS"] = file_host
    return found


def _ask_pip() -> str:
    try:
        command = [sys.executable, "-c", ASK]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
