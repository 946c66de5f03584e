"""Look at a jail from outside, and refuse one that has less than is demanded."""

from collections.abc import Mapping
from typing import Any

from sandbox.engine import observed
from sandbox.engine.attestation import Attestation, Tier
from sandbox.engine.launch import Jailed
from sandbox.engine.limits import has_rlimits
from sandbox.engine.result import JailUnavailable


def attest(jailed: Jailed, hello: Mapping[str, Any]) -> Attestation:
    """What is in force, read from the kernel; only Landlock cannot be seen from outside.

    ``hello`` comes from the runtime before any other code has run in the jail.
    """
    inside = observed.children_of(jailed.first)
    pid = inside[0] if inside else jailed.first
    status = observed.status_of(pid)
    uid = observed.host_uid_of(status)
    return Attestation(
        host_uid=uid,
        own_uid=jailed.uid is not None and uid == jailed.uid,
        namespaces=observed.separate_namespaces(pid),
        seccomp=status.get("Seccomp") == "2",
        no_new_privs=status.get("NoNewPrivs") == "1",
        rlimits=has_rlimits(pid, jailed.rlimits),
        landlock_abi=int(hello.get("landlock", 0)),
        cgroup=f"v{jailed.cgroup.version}" if jailed.cgroup else "",
        python=".".join(map(str, hello.get("python", []))),
    )


def demand(attestation: Attestation, minimum: Tier) -> Attestation:
    """The attestation, if it has all of ``minimum``; else JailUnavailable with what is missing."""
    missing = attestation.missing_for(minimum)
    if missing:
        raise JailUnavailable(
            f"the jail lacks {', '.join(missing)}, "
            f"but HOTSWAP_JAIL_MINIMUM demands {minimum.name.lower()}"
        )
    return attestation
