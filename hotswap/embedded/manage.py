"""``./dev manage COMMAND``: manage.py against the servers of ``./dev up``, as the database role it
needs.
"""

import os
import sys

from hotswap.embedded.commands import MANAGE
from hotswap.embedded.home import Home
from hotswap.embedded.stack import Stack

_FOR_THE_OWNER = {"migrate", "makemigrations", "sqlmigrate", "dbshell"}


def main(arguments: list[str]) -> None:
    """Become manage.py."""
    home = Home.from_environment()
    home.prepare()
    kind = "owner" if arguments and arguments[0] in _FOR_THE_OWNER else "worker"
    environment = Stack(home).environment(kind)
    os.execve(sys.executable, [sys.executable, MANAGE, *arguments], environment)


if __name__ == "__main__":
    main(sys.argv[1:])
