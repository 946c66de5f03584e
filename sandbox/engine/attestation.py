"""What a jail really has, observed from outside once it runs, and how much of it is demanded."""

from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """Each tier has all of the one before.

    ``NAMESPACED``: own user, mount, pid, network, ipc, uts namespaces, seccomp, no_new_privs,
    rlimits, never host uid 0. ``CONFINED``: Landlock too. ``BOUNDED``: a host uid of its own, and
    memory and pids bounded by a cgroup.
    """

    NONE = 0
    NAMESPACED = 1
    CONFINED = 2
    BOUNDED = 3


@dataclass(frozen=True, slots=True)
class Attestation:
    """Mechanisms in force in one jailed process.

    ``landlock_abi`` 0 and ``cgroup`` "" mean absent.
    """

    host_uid: int
    own_uid: bool
    namespaces: frozenset[str]
    seccomp: bool
    no_new_privs: bool
    rlimits: bool
    landlock_abi: int
    cgroup: str
    python: str = ""

    @property
    def tier(self) -> Tier:
        """The highest tier that holds."""
        if self.missing_for(Tier.NAMESPACED):
            return Tier.NONE
        if self.missing_for(Tier.CONFINED):
            return Tier.NAMESPACED
        return Tier.CONFINED if self.missing_for(Tier.BOUNDED) else Tier.BOUNDED

    def missing_for(self, tier: Tier) -> list[str]:
        """What stands between this jail and the tier, in words."""
        absent = []
        if tier >= Tier.NAMESPACED:
            absent += [f"{name} namespace" for name in sorted(NAMESPACES - self.namespaces)]
            absent += [] if self.seccomp else ["seccomp filter"]
            absent += [] if self.no_new_privs else ["no_new_privs"]
            absent += [] if self.rlimits else ["resource limits"]
            absent += ["a host uid other than 0"] if self.host_uid == 0 else []
        if tier >= Tier.CONFINED and not self.landlock_abi:
            absent.append("Landlock")
        if tier >= Tier.BOUNDED:
            absent += [] if self.own_uid else ["a host uid of its own"]
            absent += [] if self.cgroup else ["a cgroup for memory and pids"]
        return absent


NAMESPACES = frozenset({"user", "mnt", "pid", "net", "ipc", "uts"})
