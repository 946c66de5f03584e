"""All tenants at once: for development and qa, and for going back to a version that was stable."""

from collections.abc import Iterator
from dataclasses import dataclass

from deployments.steps import Hold, Load, Probe, Promote, Role, Route, Step, Unload
from deployments.strategies.base import Strategy, option


@dataclass(frozen=True, kw_only=True)
class Direct(Strategy):
    """Send every tenant to the candidate at once and watch it before the incumbent may go."""

    name = "direct"
    label = "Direct"

    bake_seconds: float = option(
        30,
        unit="seconds",
        minimum=0,
        maximum=86_400,
        help="How long the candidate serves everybody before it becomes the stable version.",
    )
    warm_seconds: float = option(
        600,
        unit="seconds",
        minimum=0,
        maximum=86_400,
        help="How long the incumbent stays loaded afterwards, for going back without a load.",
    )

    def plan(self) -> Iterator[Step]:
        yield Load()
        yield Probe()
        yield Route(100)
        yield Hold(self.bake_seconds)
        yield Promote()
        yield Unload(Role.INCUMBENT, self.warm_seconds)
