"""What the resolver reasons about: needs (a requirement of somebody) and picks (a version)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from .projects import Build


@dataclass(frozen=True)
class Need:
    """``impossible`` is why nothing can meet it; it stands for a distribution that is of no use."""

    name: str
    extras: frozenset[str]
    specifier: SpecifierSet
    text: str
    impossible: str = ""

    @property
    def identifier(self) -> str:
        if self.impossible:
            return f"!{self.text}"
        return identifier_of(self.name, self.extras)

    @property
    def is_pin(self) -> bool:
        """Whether it names exactly one version, which then may be a yanked one."""
        return any(
            each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*"))
            for each in self.specifier
        )


@dataclass(frozen=True)
class Pick:
    """One version of a project, with the extras that were asked of it."""

    name: str
    extras: frozenset[str]
    build: Build

    @property
    def identifier(self) -> str:
        return identifier_of(self.name, self.extras)

    def __str__(self) -> str:
        return f"{self.name} {self.build.version}"


def identifier_of(name: str, extras: frozenset[str]) -> str:
    return f"{name}[{','.join(sorted(extras))}]" if extras else name


def need_of(requirement: Requirement) -> Need:
    name = canonicalize_name(requirement.name)
    extras = frozenset(map(canonicalize_name, requirement.extras))
    # Without the marker: it was evaluated by whoever comes here.
    text = f"{identifier_of(name, extras)}{requirement.specifier}"
    return Need(name, extras, requirement.specifier, text)


def impossible(pick: Pick, reason: str) -> Need:
    return Need(pick.name, frozenset(), SpecifierSet(), str(pick), reason)


def same_version(pick: Pick) -> Need:
    """An extra's pick needs its own project at the same version."""
    specifier = SpecifierSet(f"=={pick.build.version}")
    return Need(pick.name, frozenset(), specifier, f"{pick.name}{specifier}")


def needs_of(
    pick: Pick, requirements: Iterable[Requirement], environment: dict[str, Any]
) -> list[Need]:
    """Those whose markers hold here, for the plain project or for the extras that were asked."""
    extras = sorted(pick.extras) or [""]
    return [
        need_of(requirement)
        for requirement in requirements
        if _applies(requirement, extras, environment, only_extras=bool(pick.extras))
    ]


def _applies(
    requirement: Requirement, extras: list[str], environment: dict[str, Any], *, only_extras: bool
) -> bool:
    marker = requirement.marker
    if marker is None:
        return not only_extras
    return any(marker.evaluate({**environment, "extra": extra}) for extra in extras)
