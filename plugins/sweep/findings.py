"""One object of which the storage and the rows tell different stories."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Problem(StrEnum):
    MISSING = "missing"  # a row needs it, and the storage does not have it
    ALTERED = "altered"  # the storage has something else under its name
    ORPHANED = "orphaned"  # nothing needs it, and it is no longer young


@dataclass(frozen=True, slots=True)
class SweepFinding:
    """``needed_by`` names versions and locks; ``earlier`` is an intact version of the object."""

    problem: Problem
    key: str
    size: int = 0
    needed_by: str = ""
    found_digest: str = ""
    earlier: str = ""
    is_mended: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "way_out": self.way_out}

    @property
    def way_out(self) -> str:
        if self.is_mended:
            return "removed" if self.problem is Problem.ORPHANED else "restored"
        if self.problem is Problem.ORPHANED:
            return "remove it with --remove-orphans"
        if self.earlier:
            return "restore it with --restore"
        if self.needed_by.startswith("lock "):
            return "put the wheel back from a backup, or resolve the versions again"
        return "put it back from a backup, or upload the plugin under a new version"
