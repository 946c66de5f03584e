"""First code inside a jail: `python -I -S start.py`. The engine's host side starts it; nothing else should."""

import sys

sys.path.insert(0, "/runtime")

from hotswap_runtime.loop import main  # noqa: E402 - isolated mode has no path to it before

main()
