"""Which versions an instance of an environment must have loaded. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Desired:
    """A version to keep loaded. ``extra_spares`` are beyond the one that every version has."""

    version_id: str
    extra_spares: int = 0


class PlacedRoute(Protocol):
    """The stable pointer of a plugin and the roles of the deployment under way."""

    @property
    def is_active(self) -> bool: ...
    @property
    def stable_id(self) -> str | None: ...
    @property
    def candidate_id(self) -> str | None: ...
    @property
    def candidate_spares(self) -> int: ...
    @property
    def warm_id(self) -> str | None: ...
    @property
    def warm_until(self) -> float | None: ...


def desired_placements(
    route: PlacedRoute | None, pins: Iterable[str], holds: Iterable[str], now: float
) -> Mapping[str, Desired]:
    """By version: stable, candidate, warm for a rollback, and what pins and holds still name.

    A killed plugin stays loaded, so that lifting the switch costs nothing; an inactive one ends.
    """
    if route is not None and not route.is_active:
        return {}
    wanted = [*pins, *holds]
    if route is not None:
        wanted += [route.stable_id or "", route.candidate_id or ""]
        wanted += [route.warm_id or ""] if is_warm(route, now) else []
    desired = {version: Desired(version) for version in wanted if version}
    if route is not None and route.candidate_id:
        desired[route.candidate_id] = Desired(route.candidate_id, route.candidate_spares)
    return desired


def is_warm(route: PlacedRoute, now: float) -> bool:
    """Whether the version before is still kept for a rollback."""
    return route.warm_id is not None and route.warm_until is not None and now < route.warm_until
