"""What every strategy is: a frozen dataclass. Its fields are its options, its plan is a recipe."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Self, cast

from deployments.steps import Load, Probe, Promote, Role, Route, Step, Unload
from hotswap.lib.errors import InvalidInputError


def option(
    default: float,
    *,
    unit: str,
    minimum: float,
    maximum: float,
    help: str,
) -> Any:
    """A field of a strategy that people may set, with its bounds and what it means."""
    metadata = {"unit": unit, "minimum": minimum, "maximum": maximum, "help": help}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as people see it: the API's list of strategies and the docs come from here."""

    name: str
    type: str
    default: float
    unit: str
    minimum: float
    maximum: float
    help: str


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """Moves tenants from the incumbent to the candidate by the steps of ``plan``.

    The plan is pure and is drained once into rows. What goes wrong on the way is the executor's
    business: it leaves the plan for ``rollback``, which holds for every strategy.
    """

    name: ClassVar[str]
    label: ClassVar[str]

    max_error_percent: float = option(
        5.0,
        unit="percent",
        minimum=0.1,
        maximum=100,
        help="Roll back when more of the candidate's calls fail, unless the incumbent's did too.",
    )
    max_latency_ratio: float = option(
        2.0,
        unit="times",
        minimum=1.1,
        maximum=100,
        help="Roll back when the candidate's p99 stays above this many times the incumbent's.",
    )
    max_failed_tenants: int = option(
        3,
        unit="tenants",
        minimum=1,
        maximum=10_000,
        help="Roll back when this many tenants have no successful call; fewer are sent back alone.",
    )

    @abstractmethod
    def plan(self) -> Iterator[Step]:
        """The steps from the incumbent to the candidate."""

    def first_plan(self) -> Iterator[Step]:
        """The steps when nothing runs yet: no tenant can lose anything, so there is no half-way."""
        yield Load()
        yield Probe()
        yield Promote()

    def rollback(self) -> Iterator[Step]:
        """The steps back, from anywhere in the plan. The incumbent is still loaded."""
        yield Route(0)
        yield Unload(Role.CANDIDATE)

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        return tuple(_describe(each) for each in fields(cls))

    @classmethod
    def from_options(cls, values: Mapping[str, Any]) -> Self:
        """The strategy with these options; raises ``InvalidInputError`` naming each bad one."""
        known = {each.name: each for each in cls.options()}
        problems = {
            f"options.{name}": [_problem(known.get(name), value, known)]
            for name, value in values.items()
            if _problem(known.get(name), value, known)
        }
        if problems:
            message = f"These options do not fit the strategy {cls.name}: {', '.join(problems)}."
            raise InvalidInputError(message, code="invalid_options", fields=problems)
        return cls(**values)


def _describe(each: "Field[Any]") -> Option:
    kind = int if each.type is int else float
    return Option(each.name, kind.__name__, cast(float, each.default), **each.metadata)


def _problem(known: Option | None, value: object, options: Mapping[str, Option]) -> str:
    if known is None:
        return f"is not an option; there are {', '.join(options)}"
    wanted = int if known.type == "int" else int | float
    if isinstance(value, bool) or not isinstance(value, wanted):
        return f"must be {'a whole number' if known.type == 'int' else 'a number'}"
    if not known.minimum <= value <= known.maximum:
        return f"must be from {known.minimum:g} to {known.maximum:g} {known.unit}"
    return ""
