"""A project of the index: which of its files could be used here, and why the others cannot."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from .pages import File

SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.z", ".tar")


@dataclass(frozen=True)
class Target:
    """The platform's interpreter: its tags from best to worst, and whether native code may run."""

    ranks: dict[Tag, int]
    python: str
    native: bool


@dataclass(frozen=True)
class Build:
    """The best wheel of one version for the target."""

    version: Version
    file: File
    rank: tuple[int, int, int]


@dataclass
class Project:
    """``rejected`` says, by version, why a version has no build here."""

    name: str
    exists: bool
    builds: dict[Version, Build] = field(default_factory=dict)
    rejected: dict[Version, str] = field(default_factory=dict)


# The further down, the closer a file came to being used: that reason is the one worth telling.
REASONS = ("sdist", "platform", "python", "unhashed", "native")


def read_project(name: str, files: Iterable[File] | None, target: Target) -> Project:
    """Group a page's files by version and keep the best wheel of each."""
    project = Project(name, exists=files is not None)
    for file in files or ():
        _add(project, file, target)
    for version in project.builds:
        project.rejected.pop(version, None)
    return project


def _add(project: Project, file: File, target: Target) -> None:
    if not file.filename.endswith(".whl"):
        _add_sdist(project, file)
        return
    try:
        name, version, number, tags = parse_wheel_filename(file.filename)
    except InvalidWheelFilename:
        return
    if name != project.name:
        return
    reason, rank = _judge(file, tags, target)
    if reason:
        _reject(project, version, reason)
        return
    # A yanked file is only taken where no other of the version is left, then the tags decide.
    build = Build(version, file, (int(file.yanked), rank, -(number[0] if number else 0)))
    known = project.builds.get(version)
    if known is None or build.rank < known.rank:
        project.builds[version] = build


def _judge(file: File, tags: Iterable[Tag], target: Target) -> tuple[str, int]:
    ranks = [(target.ranks[tag], tag) for tag in tags if tag in target.ranks]
    if not ranks:
        return "platform", 0
    allowed = [rank for rank, tag in ranks if target.native or tag.platform == "any"]
    if not _accepts(file.requires_python, target.python):
        return "python", 0
    if not file.sha256:
        return "unhashed", 0
    return ("", min(allowed)) if allowed else ("native", 0)


def _accepts(requires_python: str, python: str) -> bool:
    """What cannot be read is no constraint, as for every installer."""
    try:
        return SpecifierSet(requires_python).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def _add_sdist(project: Project, file: File) -> None:
    if not file.filename.lower().endswith(SDIST_ENDINGS):
        return
    try:
        name, version = parse_sdist_filename(file.filename)
    except InvalidSdistFilename:
        return
    if name == canonicalize_name(project.name):
        _reject(project, version, "sdist")


def _reject(project: Project, version: Version, reason: str) -> None:
    known = project.rejected.get(version)
    if known is None or REASONS.index(reason) > REASONS.index(known):
        project.rejected[version] = reason
