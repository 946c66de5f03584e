"""First code inside a jail: ``python -I -S start.py``. Only the engine's host side starts it."""

import sys

sys.path.insert(0, "/runtime")

from hotswap_runtime.loop import main

main()
