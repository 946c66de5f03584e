"""A machine made ready for jails, once per process.

Interpreter, runtime, uids, cgroup parent, filter.
"""

import atexit
import os
import shutil
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.engine.attestation import Tier
from sandbox.engine.cgroup import CgroupAbsent, CgroupParent, find_parent
from sandbox.engine.installed import install_runtime
from sandbox.engine.interpreter import Interpreter, find_interpreter
from sandbox.engine.jail import JailSettings
from sandbox.engine.result import JailUnavailable
from sandbox.engine.seccomp import seccomp_program
from sandbox.engine.uids import LOW_RANGE, UidPool, default_uid_range, is_mapped


@dataclass(frozen=True, slots=True)
class PreparedMachine:
    """Everything that all jails of this process share.

    ``cgroup_absence`` says why ``cgroups`` is None.
    """

    settings: JailSettings
    bwrap: str
    interpreter: Interpreter
    runtime: Path
    uids: UidPool | None
    cgroups: CgroupParent | None
    cgroup_absence: str

    @property
    def minimum(self) -> Tier:
        """What every jail must have: never less than namespaces."""
        return max(self.settings.minimum, Tier.NAMESPACED)


_prepared: dict[tuple[int, JailSettings], PreparedMachine] = {}
_lock = threading.Lock()


def prepare_machine(settings: JailSettings) -> PreparedMachine:
    """Blocking, and cached by process id: a forked child must not share its parent's uids.

    JailUnavailable.
    """
    key = (os.getpid(), settings)
    with _lock:
        if key not in _prepared:
            _prepared[key] = make_ready(settings)
        return _prepared[key]


def make_ready(settings: JailSettings) -> PreparedMachine:
    """Look for everything once and say what is missing."""
    bwrap = shutil.which(settings.bwrap)
    if bwrap is None:
        raise JailUnavailable("bubblewrap is not installed: apt install bubblewrap")
    try:
        seccomp_program()
    except (OSError, RuntimeError, AttributeError) as error:
        raise JailUnavailable(
            f"no seccomp filter could be made ({error}): apt install libseccomp2"
        ) from None
    try:
        settings.layers_root.mkdir(mode=0o755, parents=True, exist_ok=True)
        interpreter = find_interpreter(settings.python, settings.layers_root / "python")
        runtime = install_runtime(settings.layers_root / "runtime", interpreter)
    except OSError as error:
        raise JailUnavailable(f"the files of a jail cannot be made ready: {error}") from error
    refuse_hidden_root(settings)
    cgroups, absence = try_cgroups(settings)
    return PreparedMachine(
        settings, bwrap, interpreter, runtime, uids_for(settings), cgroups, absence
    )


def refuse_hidden_root(settings: JailSettings) -> None:
    """Under a uid of its own a jail sees only what every uid may traverse."""
    if os.geteuid() != 0:
        return
    root = settings.layers_root.resolve()
    for directory in (root, *root.parents):
        if not directory.stat().st_mode & 0o001:
            raise JailUnavailable(
                f"{settings.layers_root} cannot be reached by a jail: {directory} is closed to "
                "other users. Set HOTSWAP_LAYERS_DIR to a directory that every user can "
                "traverse, such as /var/lib/hotswap"
            )


def uids_for(settings: JailSettings) -> UidPool | None:
    """A pool as root; an ordinary user's jails run under that user."""
    uid_range = settings.uid_range or default_uid_range()
    if os.geteuid() != 0 or uid_range is None:
        return None
    if not is_mapped(uid_range[1], Path("/proc/self/uid_map").read_text()):
        raise JailUnavailable(
            f"the uids {uid_range[0]}-{uid_range[1]} do not exist in this container: "
            f"set HOTSWAP_JAIL_UIDS to {LOW_RANGE[0]}-{LOW_RANGE[1]}"
        )
    return UidPool(uid_range, settings.uid_locks)


def try_cgroups(settings: JailSettings) -> tuple[CgroupParent | None, str]:
    """The parent of all groups, or why there is none."""
    if not settings.cgroups:
        return None, "switched off"
    return shared_parent(os.getpid())


@cache
def shared_parent(_pid: int) -> tuple[CgroupParent | None, str]:
    """One for all settings of this process, removed at its end."""
    try:
        parent = find_parent()
    except CgroupAbsent as error:
        return None, str(error)
    atexit.register(parent.remove)
    return parent, ""
