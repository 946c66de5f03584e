"""An error as the caller sees it, and validators' nested details flattened to dotted fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

BODY = "body"
_WHOLE = (NON_FIELD_ERRORS, "non_field_errors")


@dataclass(frozen=True, slots=True)
class Problem:
    """``fields`` maps the dotted name of each wrong part to what is wrong with it."""

    status: int
    code: str
    message: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def fields_of_drf(detail: Any) -> dict[str, list[str]]:
    """``{"a": {"b": ["wrong"]}}`` becomes ``{"a.b": ["wrong"]}``; what has no field is ``body``."""
    found: dict[str, list[str]] = {}
    for path, message in _walk(detail, ""):
        found.setdefault(path or BODY, []).append(message)
    return found


def fields_of_django(error: ValidationError) -> dict[str, list[str]]:
    if not hasattr(error, "error_dict"):
        return {BODY: list(error.messages)}
    return fields_of_drf(error.message_dict)


def _walk(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _walk(inner, path if name in _WHOLE else _join(path, str(name)))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _walk(inner, _join(path, str(position)) if nested else path)
    else:
        yield path, str(detail)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
