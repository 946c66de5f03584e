"""Locks: the exact wheels of a version's Python dependencies, named by one digest.

Pure of Django: an instance reads and verifies a lock by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from hotswap.lib.errors import HotSwapError
from plugins.jsonvalues import canonical_json


class LockRefusedError(HotSwapError):
    """The lock is missing, altered, or not for this machine; the message says which."""

    code = "lock_refused"


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One wheel. ``requires`` are names in the same lock; ``sha256`` names its artifact."""

    name: str
    version: str
    filename: str
    sha256: str
    bytes: int
    requires: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "requires": list(self.requires)}


def lock_rows(packages: Iterable[LockedPackage]) -> list[dict[str, Any]]:
    """As they are kept and digested: plain JSON, by name."""
    return [package.as_dict() for package in sorted(packages, key=lambda each: each.name)]


def lock_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """sha256 of the canonical JSON: the same wheels have the same lock, whoever needs them."""
    return sha256(canonical_json(list(rows))).hexdigest()


def verify_lock(
    requirements: Sequence[str], digest: str, rows: Sequence[Mapping[str, Any]]
) -> tuple[LockedPackage, ...]:
    """The packages to mount, in the order of sys.path; raises ``LockRefusedError``.

    ``digest`` must come from what was approved: it is all that makes the rows trustworthy.
    """
    if not requirements and not digest:
        return ()
    if not digest:
        raise LockRefusedError("Its Python dependencies are not resolved: it has no lock.")
    if lock_digest(rows) != digest:
        raise LockRefusedError(
            f"Its lock is not the one with the digest {digest[:12]}.", code="lock_tampered"
        )
    packages = tuple(_package_of(row) for row in rows)
    _check_fit(packages)
    _check_complete(requirements, packages)
    return packages


def _package_of(row: Mapping[str, Any]) -> LockedPackage:
    try:
        return LockedPackage(**{**row, "requires": tuple(row["requires"])})
    except (KeyError, TypeError) as error:
        raise LockRefusedError("Its lock is of another form than this release knows.") from error


def _check_fit(packages: Iterable[LockedPackage]) -> None:
    """A lock made elsewhere may name wheels for another processor or Python."""
    here = frozenset(sys_tags())
    for package in packages:
        try:
            tags = parse_wheel_filename(package.filename)[3]
        except InvalidWheelFilename as error:
            raise LockRefusedError(f"{package.filename} in its lock is no wheel.") from error
        if tags.isdisjoint(here):
            raise LockRefusedError(
                f"{package.filename} in its lock is for another platform or Python: resolve the "
                "version again on a worker like this machine."
            )


def _check_complete(requirements: Iterable[str], packages: Sequence[LockedPackage]) -> None:
    versions = {package.name: package.version for package in packages}
    for wanted in map(Requirement, requirements):
        version = versions.get(canonicalize_name(wanted.name))
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            raise LockRefusedError(f"The manifest needs {wanted}, which is not in its lock.")
    for package in packages:
        missing = sorted(set(package.requires) - versions.keys())
        if missing:
            raise LockRefusedError(f"{package.name} needs {missing[0]}, which is not in its lock.")
