"""Every way to move traffic. One is one file in this folder; nothing else knows it by name."""

from importlib import import_module
from pkgutil import iter_modules

from deployments.strategies.base import Option, Strategy
from hotswap.lib.errors import InvalidInputError

__all__ = ["STRATEGIES", "Option", "Strategy", "choices", "find_strategy"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

_found: list[type[Strategy]] = Strategy.__subclasses__()
STRATEGIES = {each.name: each for each in sorted(_found, key=lambda each: each.name)}


def choices() -> list[tuple[str, str]]:
    """Names and labels for a model's field or a form."""
    return [(name, strategy.label) for name, strategy in STRATEGIES.items()]


def find_strategy(name: str) -> type[Strategy]:
    """The strategy of that name; raises ``InvalidInputError`` that lists the known ones."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    known = ", ".join(STRATEGIES)
    message = f"There is no strategy {name}; choose one of {known}."
    raise InvalidInputError(message, code="unknown_strategy", fields={"strategy": [message]})
