"""First code in the jail of a single run: ``once.py PROGRAM ARGUMENT... RLIMITS``."""

import sys

sys.path.insert(0, "/runtime")

from hotswap_runtime.once import main

main(sys.argv[1:-1], sys.argv[-1])
