"""Answers the questions of ``resolvelib`` from the index, in names and versions only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from resolvelib import AbstractProvider

from .channel import Page
from .metadata import Metadata, UnusableError, metadata_in_wheel, read_metadata
from .needs import Need, Pick, impossible, needs_of, same_version
from .pages import File, read_page
from .projects import Build, Project, Target, read_project


class Host(Protocol):
    """Where pages and files come from: the channel, or a test's own."""

    def project(self, name: str) -> Page | None: ...

    def metadata(self, url: str, sha256: str) -> bytes | None: ...

    def wheel(self, url: str, sha256: str) -> bytes: ...


class Provider(AbstractProvider[Need, Pick, str]):
    """Newest versions first. Every page and every METADATA is asked for once."""

    def __init__(self, host: Host, target: Target, environment: dict[str, Any]) -> None:
        self._host = host
        self._target = target
        self._environment = environment
        self._projects: dict[str, Project] = {}
        self._metadata: dict[str, Metadata | UnusableError] = {}

    def project(self, name: str) -> Project:
        if name not in self._projects:
            page = self._host.project(name)
            files = None if page is None else read_page(page)
            self._projects[name] = read_project(name, files, self._target)
        return self._projects[name]

    def metadata(self, pick: Pick) -> Metadata:
        """Raises ``UnusableError``, also from memory."""
        url = pick.build.file.url
        if url not in self._metadata:
            try:
                raw = self._raw_metadata(pick.build.file)
                self._metadata[url] = read_metadata(raw, pick.name, pick.build.version)
            except UnusableError as error:
                self._metadata[url] = error
        found = self._metadata[url]
        if isinstance(found, UnusableError):
            raise found
        return found

    def _raw_metadata(self, file: File) -> bytes:
        raw = self._host.metadata(file.url, file.metadata_sha256) if file.metadata else None
        return metadata_in_wheel(self._host.wheel(file.url, file.sha256)) if raw is None else raw

    def identify(self, requirement_or_candidate: Need | Pick) -> str:
        return requirement_or_candidate.identifier

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Pick],
        candidates: Mapping[str, Iterator[Pick]],
        information: Mapping[str, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, str]:
        """What conflicted last first, then exact pins; by name, so that a lock is repeatable."""
        causes = {cause.requirement.identifier for cause in backtrack_causes}
        causes |= {cause.parent.identifier for cause in backtrack_causes if cause.parent}
        is_pinned = any(each.requirement.is_pin for each in information[identifier])
        return identifier not in causes, not is_pinned, identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Need]],
        incompatibilities: Mapping[str, Iterator[Pick]],
    ) -> list[Pick]:
        needs = list(requirements[identifier])
        bad = {pick.build.version for pick in incompatibilities[identifier]}
        return [pick for pick in self.matches(needs) if pick.build.version not in bad]

    def matches(self, needs: Sequence[Need]) -> list[Pick]:
        """The picks that meet all needs, which are of one identifier; newest first."""
        first = needs[0]
        if first.impossible:
            return []
        specifier = SpecifierSet()
        for need in needs:
            specifier &= need.specifier
        builds = self.project(first.name).builds
        may_be_yanked = any(need.is_pin for need in needs)
        usable = [build for build in builds.values() if may_be_yanked or not build.file.yanked]
        versions = _filtered(specifier, usable)
        return [Pick(first.name, first.extras, builds[version]) for version in versions]

    def is_satisfied_by(self, requirement: Need, candidate: Pick) -> bool:
        version = candidate.build.version
        return not requirement.impossible and requirement.specifier.contains(
            version, prereleases=True
        )

    def get_dependencies(self, candidate: Pick) -> Iterable[Need]:
        try:
            metadata = self.metadata(candidate)
        except UnusableError as error:
            return [impossible(candidate, str(error))]
        if not metadata.requires_python.contains(self._target.python, prereleases=True):
            reason = f"it needs Python {metadata.requires_python}, here is {self._target.python}"
            return [impossible(candidate, reason)]
        needs = needs_of(candidate, metadata.requires, self._environment)
        return [same_version(candidate), *needs] if candidate.extras else needs


def _filtered(specifier: SpecifierSet, builds: Iterable[Build]) -> list[Version]:
    """Pre-releases only where the constraints name one, or there is nothing else (PEP 440)."""
    return sorted(specifier.filter(build.version for build in builds), reverse=True)
