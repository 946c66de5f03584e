"""A launcher for the tests: a supervisor over the services that are named, each a script that
waits.

``python -m tests.embedded.launcher DIRECTORY NAME...``; every script writes what happens to it to
DIRECTORY/events.
"""

import sys
from pathlib import Path

from hotswap.embedded.services import CommandService
from hotswap.embedded.supervisor import Supervisor

SCRIPT = """
import os, signal, sys
name, events = sys.argv[1:]
def note(what):
    with open(events, "a") as file:
        file.write(f"{name} {what} {os.getpid()}\\n")
def leave(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("started")
while True:
    signal.pause()
"""


def main(directory: Path, names: list[str]) -> None:
    supervisor = Supervisor(directory / "children")
    with supervisor.signals():
        for name in names:
            command = [sys.executable, "-c", SCRIPT, name, str(directory / "events")]
            service = CommandService(name, command, {}, directory / f"{name}.log", lambda: True)
            supervisor.start_stage(service)
        supervisor.run()
        supervisor.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
