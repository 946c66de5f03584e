"""The steps of a plan. Each names a state that must hold, so doing one twice changes nothing.

The vocabulary is closed: a new kind is one dataclass here and one function in ``effects``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """The two versions of a deployment: the one that is stable when it begins, and the new one."""

    INCUMBENT = "incumbent"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Load:
    """Every live instance reports the candidate READY."""

    def __str__(self) -> str:
        return "Load the candidate on every instance"


@dataclass(frozen=True, slots=True)
class Probe:
    """The manifest's example calls answer correctly on the loaded, still unrouted candidate."""

    def __str__(self) -> str:
        return "Call the candidate's examples"


@dataclass(frozen=True, slots=True)
class Route:
    """The candidate serves the first ``percent`` of the tenants and every live instance knows it.

    At 0 the incumbent serves all of them.
    """

    percent: int

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:
            raise ValueError(f"{self.percent} is not a percentage from 0 to 100")

    def __str__(self) -> str:
        if self.percent == 0:
            return "Send every tenant back to the incumbent"
        return f"Send {self.percent} % of the tenants to the candidate"


@dataclass(frozen=True, slots=True)
class Hold:
    """The time has passed; guardrails act meanwhile."""

    seconds: float

    def __str__(self) -> str:
        return f"Watch the candidate for {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Approve:
    """That many people said yes, none of them author, requester or plugin owner."""

    count: int

    def __str__(self) -> str:
        return f"Wait for {self.count} approval{'s' if self.count > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Promote:
    """The candidate is stable: it serves every tenant that no pin or hold keeps elsewhere."""

    def __str__(self) -> str:
        return "Make the candidate the stable version"


@dataclass(frozen=True, slots=True)
class Unload:
    """After that time nothing keeps the version loaded but pins, holds and other deployments."""

    role: Role
    after_seconds: float = 0

    def __str__(self) -> str:
        when = f" after {self.after_seconds:g} s" if self.after_seconds else ""
        return f"Unload the {self.role}{when}"


Step = Load | Probe | Route | Hold | Approve | Promote | Unload
KINDS: dict[str, type[Step]] = {
    "load": Load,
    "probe": Probe,
    "route": Route,
    "hold": Hold,
    "approve": Approve,
    "promote": Promote,
    "unload": Unload,
}
_NAMES = {step_type: kind for kind, step_type in KINDS.items()}


def dump(step: Step) -> tuple[str, dict[str, Any]]:
    """The kind and the arguments of a stored step, in plain JSON values."""
    return _NAMES[type(step)], asdict(step)


def load(kind: str, arguments: Mapping[str, Any]) -> Step:
    """The inverse of ``dump``. Raises ``ValueError`` for a kind that this program does not know."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of step {kind!r}; known are {', '.join(KINDS)}")
    values = dict(arguments)
    if "role" in values:
        values["role"] = Role(values["role"])
    return KINDS[kind](**values)
