"""Turns what the resolver gave up on into one sentence that names who asks for what."""

from collections.abc import Iterable, Sequence
from typing import Any

from .errors import Refused
from .needs import Need
from .projects import Project
from .provider import Provider

SHOWN_CAUSES = 6
WHO = "the manifest"
WHY = {
    "sdist": (
        "dependency_sdist_only",
        "has only source distributions: wheels only, nothing is ever built here",
    ),
    "platform": ("dependency_incompatible", "has wheels, but none for this platform"),
    "python": ("dependency_incompatible", "has wheels, but none for this version of Python"),
    "unhashed": ("dependency_unhashed", "has wheels without a sha256 in the index"),
    "native": (
        "dependency_native",
        "is compiled code: it needs permissions.native = true in the manifest",
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
    code, reason = _reason(need, project)
    return Refused(f"{who} needs {need.text}, but {need.name} {reason}.", code=code)


def _reason(need: Need, project: Project) -> tuple[str, str]:
    wanted = need.specifier
    if any(wanted.contains(version, prereleases=True) for version in project.builds):
        return "dependency_yanked", "was yanked there: pin that very version to use it all the same"
    reasons = [
        reason
        for version, reason in sorted(project.rejected.items(), reverse=True)
        if wanted.contains(version, prereleases=True)
    ]
    if reasons:
        return WHY[_likeliest(reasons)]
    newest = max([*project.builds, *project.rejected], default=None)
    has = f"the newest there is {newest}" if newest else "it has no files"
    return "dependency_not_found", f"has no such version: {has}"


def _likeliest(reasons: Sequence[str]) -> str:
    """Of the newest version that fits, because that is the one that people mean."""
    return reasons[0]
