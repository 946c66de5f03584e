"""Which Python runs in the jails, and how a jail's uid can read it.

An interpreter below /root (mode 700) is out of reach for every other uid, and bubblewrap cannot
bind what it cannot reach. So: the interpreter that was asked for, or our own, if others can read
it; else the system's of the same minor version (native plugins need the same ABI); else a copy of
our own, made once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3",
    "config-*",
)  # fmt: skip
ASK = (
    "import sys, sysconfig, os, json; v = sysconfig.get_config_var; "
    "library = v('LIBDIR') + '/' + v('INSTSONAME') if v('Py_ENABLE_SHARED') else ''; "
    "print(json.dumps([os.path.realpath(sys.executable), sysconfig.get_path('stdlib'), library,"
    " '%d.%d' % sys.version_info[:2], sys.version.split()[0]]))"
)
SYSTEM_PREFIXES = ("/usr/bin", "/usr/local/bin")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The three things to bind.

    The program, its standard library, and libpython where it is apart.
    """

    program: Path
    stdlib: Path
    library: Path | None
    minor: str
    version: str

    def is_readable_by_all(self) -> bool:
        """Whether any uid can run it."""
        return all(
            is_readable_by_all(path) for path in (self.program, self.stdlib, self.library) if path
        )


def is_readable_by_all(path: Path) -> bool:
    """Every directory on the way can be traversed and the thing itself read by any uid."""
    path = path.resolve()
    needed = 0o005 if path.is_dir() else 0o004
    if not path.exists() or path.stat().st_mode & needed != needed:
        return False
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


def ask_interpreter(program: Path) -> Interpreter | None:
    """Where the parts of an installed interpreter lie; None when it does not answer."""
    try:
        answer = subprocess.run(
            [program, "-I", "-S", "-c", ASK], env={}, capture_output=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    executable, stdlib, library, minor, version = json.loads(answer.stdout)
    inside = Path(library) if library and Path(library).exists() else None
    return Interpreter(Path(executable), Path(stdlib), inside, minor, version)


def find_interpreter(wanted: Path | None, copies: Path) -> Interpreter:
    """The interpreter for jails. ``copies`` must be a directory that every uid can traverse."""
    own = ask_interpreter(wanted or Path(sys.executable))
    if own is None:
        raise FileNotFoundError(f"{wanted or sys.executable} does not run as a Python interpreter")
    if own.is_readable_by_all() or os.geteuid() != 0:
        return own
    for prefix in SYSTEM_PREFIXES:
        other = ask_interpreter(Path(prefix) / f"python{own.minor}")
        if wanted is None and other is not None and other.is_readable_by_all():
            return other
    return copied(own, copies)


def copied(own: Interpreter, copies: Path) -> Interpreter:
    """A readable copy, named by what was copied; made once and never changed."""
    marks = [own.program, own.stdlib / "os.py", *([own.library] if own.library else [])]
    facts = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in marks]
    name = hashlib.sha256(json.dumps([own.version, facts]).encode()).hexdigest()[:16]
    home = copies / name
    if not home.exists():
        copies.mkdir(mode=0o755, parents=True, exist_ok=True)
        publish(lambda temporary: copy_parts(own, temporary), home)
    library = home / own.library.name if own.library else None
    return Interpreter(home / "python", home / "lib", library, own.minor, own.version)


def copy_parts(own: Interpreter, home: Path) -> None:
    """The parts, side by side, with times kept so that compiled files stay valid."""
    shutil.copy2(own.program, home / "python")
    shutil.copytree(own.stdlib, home / "lib", ignore=LEFT_OUT, symlinks=False)
    if own.library:
        shutil.copy2(own.library, home / own.library.name)
    for directory, _, files in os.walk(home):
        Path(directory).chmod(0o755)
        for file in files:
            path = Path(directory, file)
            path.chmod(path.stat().st_mode | 0o444)


def publish(fill: Callable[[Path], None], target: Path) -> None:
    """Fill a directory beside the target and rename it there; whoever comes second drops theirs."""
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        fill(temporary)
        temporary.chmod(0o755)
        temporary.rename(target)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        if not target.exists():
            raise
