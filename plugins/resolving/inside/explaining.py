"""Turns what the resolver gave up on into one sentence that names who asks for what."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .errors import Refused
from .needs import Need
from .projects import Project
from .provider import Provider

SHOWN_CAUSES = 6
WHO = "the manifest"


@dataclass(frozen=True)
class Why:
    """Why a project has nothing for a need; ``reason`` continues a sentence that begins with it."""

    reason: str
    code: str


WHY = {
    "sdist": Why(
        "has only source distributions: wheels only, nothing is ever built here",
        code="dependency_sdist_only",
    ),
    "platform": Why("has wheels, but none for this platform", code="dependency_incompatible"),
    "python": Why(
        "has wheels, but none for this version of Python", code="dependency_incompatible"
    ),
    "unhashed": Why("has wheels without a sha256 in the index", code="dependency_unhashed"),
    "native": Why(
        "is compiled code: it needs permissions.native = true in the manifest",
        code="dependency_native",
    ),
}


def explain(causes: Iterable[Any], provider: Provider) -> Refused:
    """``causes`` are resolvelib's: a requirement and its parent each (None: the manifest)."""
    said: dict[tuple[str, str], Need] = {}
    for cause in causes:
        said.setdefault((_who(cause.parent), cause.requirement.text), cause.requirement)
    for (who, _), need in said.items():
        if not provider.matches([need]):
            return _alone(who, need, provider)
    clauses = [f"{who} needs {text}" for who, text in list(said)[:SHOWN_CAUSES]]
    rest = f" (and {len(said) - SHOWN_CAUSES} more)" if len(said) > SHOWN_CAUSES else ""
    return Refused(
        f"No set of versions fits: {', and '.join(clauses)}{rest}.", code="dependency_conflict"
    )


def _who(parent: Any) -> str:
    return WHO if parent is None else str(parent)


def _alone(who: str, need: Need, provider: Provider) -> Refused:
    """One need that nothing can meet, whatever the others want."""
    if need.impossible:
        return Refused(f"{who} cannot be used: {need.impossible}.", code="dependency_unusable")
    project = provider.project(need.name)
    if not project.exists:
        return Refused(
            f"{who} needs {need.text}, but the index has no project {need.name}.",
            code="dependency_not_found",
        )
    why = _why(need, project)
    return Refused(f"{who} needs {need.text}, but {need.name} {why.reason}.", code=why.code)


def _why(need: Need, project: Project) -> Why:
    wanted = need.specifier
    if any(wanted.contains(version, prereleases=True) for version in project.builds):
        words = "was yanked there: pin that very version to use it all the same"
        return Why(words, code="dependency_yanked")
    reasons = [
        reason
        for version, reason in sorted(project.rejected.items(), reverse=True)
        if wanted.contains(version, prereleases=True)
    ]
    if reasons:
        # Of the newest version that fits, because that is the one that people mean.
        return WHY[reasons[0]]
    newest = max([*project.builds, *project.rejected], default=None)
    has = f"the newest there is {newest}" if newest else "it has no files"
    return Why(f"has no such version: {has}", code="dependency_not_found")
