"""What jails can be on this machine: found out by making one, never by reading a setting."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.attestation import Attestation, Tier
from sandbox.engine.jail import JailSettings
from sandbox.engine.oneshot import run_once_blocking
from sandbox.engine.prepared import prepare_machine
from sandbox.engine.result import JailUnavailable

APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
NAMESPACE_COUNT = Path("/proc/sys/user/max_user_namespaces")
DEBIAN_SWITCH = Path("/proc/sys/kernel/unprivileged_userns_clone")
PROFILE = "/etc/apparmor.d/bwrap"


@dataclass(frozen=True, slots=True)
class MachineReport:
    """``problems`` and ``fixes`` keep plugins from running here; ``notes`` say what is weaker."""

    tier: str
    attestation: Attestation | None
    problems: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def default_settings() -> JailSettings:
    """Where jails keep their files when nothing was set."""
    if os.geteuid() == 0:
        return JailSettings(Path("/var/lib/hotswap"))
    return JailSettings(Path.home() / ".cache" / "hotswap")


def describe_machine(settings: JailSettings | None = None) -> MachineReport:
    """Make a jail, look at it, and say what is missing with the exact fix. Blocking."""
    settings = settings or default_settings()
    try:
        attestation = try_jail(settings)
    except JailUnavailable as error:
        return MachineReport("none", None, (error.reason,), tuple(fixes_for(error.reason)))
    notes = [f"no {name}" for name in attestation.missing_for(Tier.BOUNDED)]
    absence = prepare_machine(settings).cgroup_absence
    if absence:
        notes.append(f"no cgroup: {absence}")
    return MachineReport(attestation.tier.name.lower(), attestation, notes=tuple(notes))


def try_jail(settings: JailSettings) -> Attestation:
    """The attestation of a jail in which a program ran to its end."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
        program.write("print(6 * 7)\n")
        program.flush()
        result = run_once_blocking(Path(program.name), jail=settings)
    if result.output != b"42\n":
        raise JailUnavailable(
            f"a program in the jail failed: {result.message} {result.log.strip()}"
        )
    return result.attestation


def fixes_for(reason: str) -> list[str]:
    """What to type, from what was found."""
    if "apt install" in reason or "HOTSWAP_" in reason:
        return [reason.partition(": ")[2]]
    if reads(APPARMOR) == "1":
        return [
            f"printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap "
            f"flags=(unconfined) {{ userns, }}\\n' | sudo tee {PROFILE} && "
            f"sudo apparmor_parser -r {PROFILE}"
        ]
    if reads(DEBIAN_SWITCH) == "0":
        return ["sudo sysctl -w kernel.unprivileged_userns_clone=1"]
    if reads(NAMESPACE_COUNT) == "0":
        return ["sudo sysctl -w user.max_user_namespaces=15000"]
    return [
        "let this process make user namespaces: in Docker run it with "
        "--security-opt seccomp=unconfined --security-opt systempaths=unconfined, in Kubernetes "
        "with a seccompProfile of type Unconfined and procMount: Unmasked"
    ]


def reads(path: Path) -> str:
    """A kernel setting; empty where the kernel does not have it."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
