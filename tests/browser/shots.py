"""``python -m tests.browser.shots DIRECTORY``: every page as a picture, light, dark and narrow."""

import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/shots").resolve()
    os.environ["HOTSWAP_TEST_SHOTS"] = str(directory)
    code = pytest.main(["-m", "browser", "-q", str(Path(__file__).with_name("test_shots.py"))])
    pictures = len(list(directory.glob("*/*.png")))
    sys.stdout.write(f"{pictures} pictures in {directory}\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
