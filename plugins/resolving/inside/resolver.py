"""From requirements to the wheels that meet them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from .errors import Refused
from .explaining import explain
from .metadata import UnusableError, parse_requirement
from .needs import Need, Pick, need_of
from .projects import Target
from .provider import Host, Provider

MAX_ROUNDS = 5000
MAX_PACKAGES = 100


@dataclass(frozen=True)
class Chosen:
    """One wheel of the answer. ``lines`` is Requires-Dist as the index's METADATA has it."""

    name: str
    version: str
    filename: str
    url: str
    sha256: str
    requires: tuple[str, ...]
    lines: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def resolve(
    requirements: Iterable[str], host: Host, target: Target, environment: dict[str, Any]
) -> list[Chosen]:
    """The wheels by name, or ``Refused`` with who asks for what."""
    provider = Provider(host, target, environment)
    needs = [_root_need(text) for text in requirements]
    resolver: Resolver[Need, Pick, str] = Resolver(provider, BaseReporter())
    try:
        result = resolver.resolve(needs, max_rounds=MAX_ROUNDS)
    except ResolutionImpossible as error:
        raise explain(error.causes, provider) from error
    except ResolutionTooDeep as error:
        raise Refused(
            f"No set of versions was found in {MAX_ROUNDS} rounds: narrow the constraints.",
            code="resolution_too_large",
        ) from error
    chosen = _chosen(result.mapping, provider)
    if len(chosen) > MAX_PACKAGES:
        raise Refused(
            f"{len(chosen)} packages would be needed, over {MAX_PACKAGES}: depend on less.",
            code="resolution_too_large",
        )
    return chosen


def _root_need(text: str) -> Need:
    try:
        return need_of(parse_requirement(text, "The manifest"))
    except UnusableError as error:
        raise Refused(f"The manifest: {error}.", code="dependency_reference") from error


def _chosen(picks: dict[str, Pick], provider: Provider) -> list[Chosen]:
    needed: dict[str, set[str]] = {pick.name: set() for pick in picks.values()}
    for pick in picks.values():
        names = {need.name for need in provider.get_dependencies(pick)}
        needed[pick.name] |= names - {pick.name}
    plain = sorted((pick for pick in picks.values() if not pick.extras), key=lambda p: p.name)
    return [_one(pick, sorted(needed[pick.name]), provider) for pick in plain]


def _one(pick: Pick, requires: list[str], provider: Provider) -> Chosen:
    file = pick.build.file
    return Chosen(
        name=pick.name,
        version=str(pick.build.version),
        filename=file.filename,
        url=file.url,
        sha256=file.sha256,
        requires=tuple(requires),
        lines=provider.metadata(pick).lines,
    )
