"""The jail of one process, as arguments of bubblewrap.

Nothing is visible unless a line here binds it.
"""

import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.attestation import Tier
from sandbox.engine.interpreter import Interpreter
from sandbox.engine.spec import Limits

MB = 1 << 20
INNER_UID = "1000"
DEVICES = ("null", "zero", "random", "urandom")


@dataclass(frozen=True, slots=True)
class JailSettings:
    """What the machine's owner decides.

    ``layers_root`` must be traversable by every uid when started as root.

    ``uid_range`` None: as root the engine's own range, as an ordinary user no uid of its own.
    """

    layers_root: Path
    uid_range: tuple[int, int] | None = None
    minimum: Tier = Tier.NAMESPACED
    python: Path | None = None
    bwrap: str = "bwrap"
    uid_locks: Path = Path("/run/hotswap/uids")
    cgroups: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """What one jail sees beside the interpreter.

    Read-only binds, writable binds, files given by descriptor.
    """

    read_only: Mapping[str, Path]
    writable: Mapping[str, Path] | None = None
    data: Mapping[str, int] | None = None


def library_directories() -> list[Path]:
    """Where the system keeps the shared libraries that interpreters and native wheels need."""
    triplet = sysconfig.get_config_var("MULTIARCH") or ""
    names = [f"/usr/lib/{triplet}" if triplet else "", f"/lib/{triplet}" if triplet else ""]
    names += ["/usr/lib64", "/lib64"]
    return [Path(name) for name in names if name and Path(name).is_dir()]


def jail_arguments(
    interpreter: Interpreter, view: View, limits: Limits, descriptors: Mapping[str, int]
) -> list[str]:
    """Everything between ``bwrap`` and the program to run.

    ``descriptors``: seccomp, info, block.
    """
    arguments = [
        "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
        "--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session",
        "--cap-drop", "ALL", "--clearenv", "--hostname", "plugin",
        "--uid", INNER_UID, "--gid", INNER_UID,
    ]  # fmt: skip
    arguments += interpreter_binds(interpreter)
    arguments += device_arguments()
    arguments += ["--perms", "0700", "--size", str(limits.tmp_mb * MB), "--tmpfs", "/tmp"]  # noqa: S108 - inside
    arguments += [part for inside, path in view.read_only.items() for part in ro_bind(path, inside)]
    for inside, path in (view.writable or {}).items():
        arguments += ["--bind", str(path), inside]
    for inside, descriptor in (view.data or {}).items():
        arguments += ["--perms", "0444", "--ro-bind-data", str(descriptor), inside]
    arguments += ["--chdir", "/tmp", "--remount-ro", "/"]  # noqa: S108 - inside
    arguments += ["--seccomp", str(descriptors["seccomp"]), "--info-fd", str(descriptors["info"])]
    return [*arguments, "--block-fd", str(descriptors["block"])]


def interpreter_binds(interpreter: Interpreter) -> list[str]:
    """The interpreter under /python, shared libraries where the loader looks, the time zones."""
    minor = interpreter.minor
    arguments = ro_bind(interpreter.program, f"/python/bin/python{minor}")
    arguments += ro_bind(interpreter.stdlib, f"/python/lib/python{minor}")
    if interpreter.library:
        inside = f"/python/lib/{interpreter.library.name}"
        arguments += [
            *ro_bind(interpreter.library, inside),
            "--setenv",
            "LD_LIBRARY_PATH",
            "/python/lib",
        ]
    arguments += [part for path in library_directories() for part in ro_bind(path, str(path))]
    return [*arguments, "--ro-bind-try", "/usr/share/zoneinfo", "/usr/share/zoneinfo"]


def device_arguments() -> list[str]:
    """Four harmless devices. Shared memory is /tmp, so that it counts against the same size."""
    arguments = ["--size", str(64 << 10), "--tmpfs", "/dev"]
    for name in DEVICES:
        arguments += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    return [*arguments, "--symlink", "/tmp", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108 - inside


def ro_bind(source: Path, inside: str) -> list[str]:
    """A read-only bind; paths may have spaces, they are arguments of their own."""
    return ["--ro-bind", str(source), inside]


def python_command(
    interpreter: Interpreter, program: str, arguments: Iterable[str] = ()
) -> list[str]:
    """Isolated, without site, without writing compiled files."""
    python = f"/python/bin/python{interpreter.minor}"
    return [python, "-I", "-S", "-B", "-X", "utf8", program, *arguments]
