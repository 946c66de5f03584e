"""Where Unix sockets live: at most 107 bytes, and nothing to quote in any URL."""

import hashlib
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hotswap.embedded.errors import EmbeddedError

LONGEST_SOCKET_PATH = 107
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
_STAND_IN = "hotswap-"
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def socket_directory(wanted: Path) -> Path:
    """Make ``wanted`` with mode 0700, or what ``short_path`` puts in its place."""
    return private_directory(short_path(wanted))


def leave_directory(path: Path) -> None:
    """Remove a directory that stood for another, once the last socket is gone from it."""
    if path.name.startswith(_STAND_IN):
        with suppress(OSError):
            path.rmdir()


def short_path(wanted: Path) -> Path:
    """``wanted``, or a short directory that stands for it where its path is long or has spaces.

    The same ``wanted`` gives the same directory every time.
    """
    if _is_usable(wanted):
        return wanted
    name = f"{_STAND_IN}{hashlib.sha256(os.fsencode(wanted.absolute())).hexdigest()[:16]}"
    for base in _short_bases():
        if _is_usable(base / name):
            return base / name
    raise EmbeddedError(
        f"no directory for Unix sockets: {wanted} is too long or has spaces, "
        "and neither XDG_RUNTIME_DIR nor /tmp can be written"
    )


def private_directory(path: Path) -> Path:
    """``path`` as a directory that only this user can enter; refuses one that belongs to somebody
    else.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedError(
            f"{path} belongs to another user or is no directory; remove it or choose another place"
        )
    path.chmod(0o700)
    return path


def _is_usable(path: Path) -> bool:
    text = os.fspath(path.absolute())
    short = len(os.fsencode(text)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH
    return short and _PLAIN.fullmatch(text) is not None


def _short_bases() -> list[Path]:
    candidates = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]
    return [Path(base) for base in candidates if base and os.access(base, os.W_OK | os.X_OK)]
