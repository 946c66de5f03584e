"""Run one program of the platform's own over data that is not."""

from __future__ import annotations

import os
import sys

from .confinement import confine
from .wire import Wire, encode_json, take_wire

OUTPUT = "/output"


def main(command: list[str], rlimits: str) -> None:
    """Close every door, say hello, wait for the host's word, become the program."""
    take_wire()
    wire = Wire()
    writable = (OUTPUT,) if os.path.isdir(OUTPUT) else ()  # noqa: PTH112 - pathlib starts slowly
    landlock = confine(rlimits, writable)
    hello = {"landlock": landlock, "python": list(sys.version_info[:3])}
    wire.send(encode_json({"hello": hello}).encode())
    wire.receive()
    sys.argv = command
    with open(command[0], "rb") as file:  # noqa: PTH123 - likewise
        code = compile(file.read(), command[0], "exec")
    exec(code, {"__name__": "__main__", "__file__": command[0]})  # noqa: S102 - the platform's own
