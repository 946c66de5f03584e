"""JSON from strangers, read strictly: what two readers could understand differently is refused."""

import json
import math
from typing import Any

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1


class JsonInputError(ValueError):
    """Why the text is not JSON that is accepted here."""


def read_json(text: bytes) -> Any:
    """The value, or ``JsonInputError``: also for a name twice, NaN, NUL, depth, huge numbers."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise JsonInputError("The body is not UTF-8.") from error
    except RecursionError as error:
        raise JsonInputError(f"The body is nested deeper than {MAX_DEPTH} levels.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise JsonInputError(f"The body is not JSON: {error.msg} at {place}.") from error
    except ValueError as error:
        if isinstance(error, JsonInputError):
            raise
        raise JsonInputError("A number in the body is too long.") from error
    _check(value)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise JsonInputError(f"The name {name[:60]!r} stands twice in one object.")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise JsonInputError(f"{name} is not JSON.")


def _check(value: Any) -> None:
    pending = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise JsonInputError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(item, dict):
            pending.extend((name, depth) for name in item)
            pending.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            pending.extend((inner, depth + 1) for inner in item)
        else:
            _check_scalar(item)


def _check_scalar(item: Any) -> None:
    if isinstance(item, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in item):
        raise JsonInputError("A text in the body has a NUL or half a surrogate pair.")
    if isinstance(item, float) and not math.isfinite(item):
        raise JsonInputError("A number in the body is not finite.")
    if isinstance(item, int) and abs(item) > MAX_INTEGER:
        raise JsonInputError("An integer in the body is beyond 64 bits.")
