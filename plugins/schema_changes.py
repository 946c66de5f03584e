"""Where a JSON Schema came to refuse what another one took. Pure; keywords of draft 2020-12.

Careful rather than clever: what cannot be compared, such as a changed ``anyOf``, counts as changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from plugins.jsonvalues import canonical_json

_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
# Compared by what they mean; every other keyword only by whether it is the same.
_UNDERSTOOD = frozenset(
    {"type", "enum", "const", "multipleOf", "required", "properties", "additionalProperties"}
    | {"items", "uniqueItems", "$defs", "$ref", *_LOWER, *_UPPER}
)
_SAYS_NOTHING = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
    | {"$comment", "$schema", "$id", "$anchor"}
)
_MAX_CHANGES = 100
_MAX_TEXT = 80


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """``path`` leads to the value in a call or config; ``was`` and ``now`` are parts of schemas."""

    path: str
    keyword: str
    message: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A place in both schemas. ``before`` takes values that ``after`` must take as well.

    For what a plugin gives, the roles are swapped: all that the new one may give must have been
    possible before; ``is_swapped`` keeps the words right.
    """

    path: str
    before: Any
    after: Any
    roots: tuple[Any, Any]
    is_swapped: bool = False
    seen: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def at(self, step: str, before: Any, after: Any) -> "_Pair":
        path = f"{self.path}.{step}" if self.path else step
        return replace(self, path=path, before=before, after=after)

    def change(self, keyword: str, message: str) -> SchemaChange:
        return SchemaChange(self.path, keyword, message)

    def differs(self, keyword: str) -> SchemaChange:
        was, now = self.before.get(keyword), self.after.get(keyword)
        if self.is_swapped:
            was, now = now, was
        text = f"{keyword} is now {_text(now)} (was {_text(was)})"
        if now is None:
            text = f"{keyword} is no longer {_text(was)}"
        elif was is None:
            text = f"{keyword} is now {_text(now)}"
        return self.change(keyword, text)


def find_refused(before: Any, after: Any) -> list[SchemaChange]:
    """Why a value that ``before`` takes may be refused by ``after``: for input and config.

    A property that was not declared before is no reason, though other values may have been sent
    under its name; one that is no longer declared is.
    """
    return list(_first(_compare(_Pair("", before, after, (before, after)))))


def find_new_output(before: Any, after: Any) -> list[SchemaChange]:
    """Why a result that ``after`` allows may surprise who relied on ``before``."""
    pair = _Pair("", after, before, (after, before), is_swapped=True)
    return list(_first(_compare(pair)))


def _first(changes: Iterator[SchemaChange]) -> Iterator[SchemaChange]:
    for _, change in zip(range(_MAX_CHANGES), changes, strict=False):
        yield change


def _compare(given: _Pair) -> Iterator[SchemaChange]:
    pair = _without_references(given)
    if pair is None or pair.after is True or pair.before is False:
        return
    if not isinstance(pair.after, Mapping):
        yield pair.change("false", "nothing is allowed here any more")
        return
    if not isinstance(pair.before, Mapping):
        pair = replace(pair, before={})
    yield from _compare_values(pair)
    yield from _compare_objects(pair)
    yield from _compare_arrays(pair)
    yield from _compare_others(pair)


def _compare_values(pair: _Pair) -> Iterator[SchemaChange]:
    before, after = pair.before, pair.after
    if not _types(before) <= _types(after):
        yield pair.differs("type")
    allowed = _allowed(after)
    if allowed is not None and not (_allowed(before) or frozenset({"?"})) <= allowed:
        yield pair.differs("enum" if "enum" in {*before, *after} else "const")
    for keyword in _LOWER:
        if keyword in after and _is_more(after[keyword], before.get(keyword)):
            yield pair.differs(keyword)
    for keyword in _UPPER:
        if keyword in after and _is_more(before.get(keyword), after[keyword], missing_is_more=True):
            yield pair.differs(keyword)
    if "multipleOf" in after and not _is_multiple(before.get("multipleOf"), after["multipleOf"]):
        yield pair.differs("multipleOf")


def _compare_objects(pair: _Pair) -> Iterator[SchemaChange]:
    before, after = pair.before, pair.after
    for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        words = "is not always given any more" if pair.is_swapped else "is now required"
        yield pair.at(name, None, None).change("required", words)
    old, new = before.get("properties", {}), after.get("properties", {})
    former, current = (new, old) if pair.is_swapped else (old, new)
    for name in sorted(set(former) - set(current)):
        yield pair.at(name, None, None).change("properties", "is gone")
    for name in sorted(set(old) & set(new)):
        yield from _compare(pair.at(name, old[name], new[name]))
    if pair.is_swapped:
        return
    others = before.get("additionalProperties", True)
    taken = after.get("additionalProperties", True)
    if taken is False and others is not False:
        yield pair.change("additionalProperties", "other properties are no longer taken")
    else:
        yield from _compare(pair.at("*", others, taken))


def _compare_arrays(pair: _Pair) -> Iterator[SchemaChange]:
    yield from _compare(
        pair.at("[]", pair.before.get("items", True), pair.after.get("items", True))
    )
    if pair.after.get("uniqueItems") and not pair.before.get("uniqueItems"):
        yield pair.differs("uniqueItems")


def _compare_others(pair: _Pair) -> Iterator[SchemaChange]:
    names_others = b'"$ref"'
    for keyword in sorted(set(pair.after) - _UNDERSTOOD - _SAYS_NOTHING):
        refers = names_others in canonical_json(pair.after[keyword])
        if pair.after[keyword] != pair.before.get(keyword):
            yield pair.differs(keyword)
        elif refers and pair.roots[0] != pair.roots[1]:
            yield pair.change(keyword, f"what {keyword} refers to may have changed")


def _without_references(pair: _Pair) -> _Pair | None:
    """Both sides with local references followed; None where that was compared already."""
    names = tuple(
        side.get("$ref", "") if isinstance(side, Mapping) else ""
        for side in (pair.before, pair.after)
    )
    if names == ("", ""):
        return pair
    if names in pair.seen:
        return None
    return replace(
        pair,
        before=_follow(pair.before, pair.roots[0]),
        after=_follow(pair.after, pair.roots[1]),
        seen=pair.seen | {(names[0], names[1])},
    )


def _follow(schema: Any, root: Any) -> Any:
    """What the reference names, with what stands beside it."""
    for _ in range(20):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            return schema
        target = root
        for part in str(schema["$ref"]).removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key, {}) if isinstance(target, Mapping) else {}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **beside} if isinstance(target, Mapping) else target
    return schema


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """Every type that the schema takes; a number may be an integer."""
    named = schema.get("type", _TYPES)
    found = frozenset({named} if isinstance(named, str) else named)
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if "type" not in schema and allowed is not None:
        found = frozenset(_type_of(value) for value in allowed)
    return found | {"integer"} if "number" in found else found


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _allowed(schema: Mapping[str, Any]) -> frozenset[bytes | str] | None:
    values: Sequence[Any] | None = schema.get("enum")
    if "const" in schema:
        values = [schema["const"]]
    return None if values is None else frozenset(canonical_json(value) for value in values)


def _is_more(left: Any, right: Any, *, missing_is_more: bool = False) -> bool:
    """Whether ``left`` is more than ``right``; what is missing limits nothing."""
    if missing_is_more:
        return left is None or bool(left > right)
    return right is None or bool(left > right)


def _is_multiple(value: Any, of: Any) -> bool:
    return value is not None and float(value / of).is_integer()


def _text(value: Any) -> str:
    text = canonical_json(value).decode()
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
