"""JSON Schemas that authors write, compiled into validators that cannot be turned against the host.

The dialect is draft 2020-12 with references inside the document only. Patterns run on a linear-time
engine; a schema's size, depth and the work one value can cause are bounded before it is compiled.
"""

from collections.abc import Mapping
from itertools import islice

import jsonschema_rs

from hotswap.lib.errors import InvalidInputError
from plugins.schemas_bounds import SchemaRefusedError, check_bounds
from plugins.schemas_patterns import text_length

MAX_PROBLEMS = 20
MAX_MESSAGE_CHARACTERS = 300
MAX_PATH_CHARACTERS = 200
# The engine collects every error before it hands out the first (3.8 s for 300,000), so a large
# value gets its first error only.
MAX_NODES_FOR_ALL_PROBLEMS = 2_000
# About half a second of the engine at its slowest: patterns' weight times characters of a value.
MAX_PATTERN_STEPS = 100_000_000
_PATTERN_BYTES = 1 << 20
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES)


class SchemaError(InvalidInputError):
    """A JSON Schema that HotSwap does not accept; ``fields`` has the place and the reason."""

    code = "invalid_schema"


class Validator:
    """A compiled schema; safe to share between threads."""

    __slots__ = ("_compiled", "_most_text")

    def __init__(self, compiled: jsonschema_rs.Draft202012Validator, pattern_weight: int) -> None:
        self._compiled = compiled
        self._most_text = MAX_PATTERN_STEPS // pattern_weight if pattern_weight else None

    def is_valid(self, instance: object) -> bool:
        return not self._has_too_much_text(instance) and self._compiled.is_valid(instance)

    def validate(self, instance: object) -> list[tuple[str, str]]:
        """Problems as (dotted path, message), at most 20; the path of the whole value is ''.

        Messages never repeat a value: it may be a tenant's.
        """
        if self._has_too_much_text(instance):
            reason = f"has more text than the {self._most_text} characters that its patterns allow"
            return [("", reason)]
        if self._compiled.is_valid(instance):
            return []
        if _is_larger_than(instance, MAX_NODES_FOR_ALL_PROBLEMS):
            return [_first_problem(self._compiled, instance)]
        errors = islice(self._compiled.iter_errors(instance), MAX_PROBLEMS)
        return [_describe(error) for error in errors]

    def _has_too_much_text(self, instance: object) -> bool:
        return self._most_text is not None and text_length(instance) > self._most_text


def compile_schema(schema: Mapping[str, object] | bool, where: str = "schema") -> Validator:
    """Compile or raise ``SchemaError`` whose field is ``where`` and the place inside the schema."""
    try:
        weight = check_bounds(schema)
    except SchemaRefusedError as refusal:
        raise _refused(where, refusal.path, refusal.reason) from refusal
    plain = schema if isinstance(schema, bool) else dict(schema)
    try:
        return Validator(_compile(plain), weight)
    except jsonschema_rs.ValidationError as error:
        raise _refused(where, *_engine_reason(error)) from error


def _compile(schema: dict[str, object] | bool) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        pattern_options=_PATTERNS,
        offline=True,
        mask="the value",
    )


def _engine_reason(error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    path, message = _describe(error)
    if message.endswith('is not a "regex"'):
        return path, (
            "is not a pattern of the linear-time engine, or is too large for it: "
            "no look-around, no back-references, smaller repetition counts"
        )
    return path, message


def _refused(where: str, path: str, reason: str) -> SchemaError:
    place = ".".join(part for part in (where, path[:MAX_PATH_CHARACTERS]) if part)
    return SchemaError(
        f"The JSON Schema at {place} is not accepted: {reason}.",
        fields={place: [reason]},
    )


def _first_problem(
    compiled: jsonschema_rs.Draft202012Validator, instance: object
) -> tuple[str, str]:
    try:
        compiled.validate(instance)
    except jsonschema_rs.ValidationError as error:
        return _describe(error)
    return "", "does not match the schema"


def _describe(error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    path = ".".join(str(part) for part in error.instance_path)
    return path[:MAX_PATH_CHARACTERS], error.message[:MAX_MESSAGE_CHARACTERS]


def _is_larger_than(value: object, limit: int) -> bool:
    """Count the nodes of a JSON value, no further than the limit."""
    pending, seen = [value], 0
    while pending:
        item = pending.pop()
        seen += 1
        if isinstance(item, dict):
            seen += len(item)
            pending.extend(islice(item.values(), limit))
        elif isinstance(item, list):
            pending.extend(islice(item, limit))
        if seen + len(pending) > limit:
            return True
    return False
