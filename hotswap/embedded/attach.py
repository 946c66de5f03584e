"""Become COMMAND, and get SIGNAL when PARENT ends: ``python -I -S attach.py PARENT SIGNAL
COMMAND...``.

A program of its own instead of a ``preexec_fn``: code between fork and exec may deadlock in a
parent with threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, signal_number: str, *command: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    # The parent may have ended before the call above; then nobody would ever send the signal.
    if os.getppid() != int(parent):
        sys.exit(f"the parent {parent} is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
