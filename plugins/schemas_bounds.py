"""The work a JSON Schema can cause, bounded by looking at it before it is compiled.

Three bombs fit in a few lines: references that fan out (2 to the n copies of one definition), a
recursion that enters the same part of a value twice (2 to its depth), and sheer size or depth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from plugins.jsonvalues import JsonRefusedError, check_json
from plugins.schemas_patterns import pattern_weight

MAX_SCHEMA_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_PATTERN_CHARACTERS = 1_000
MAX_EXPANDED_NODES = 1_000
MAX_RECURSIONS = 100
MAX_REFERENCES_IN_A_ROW = 16
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_IN_PLACE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_ALL_ITEMS = ("contains", "unevaluatedItems")
_ALL_PROPERTIES = ("propertyNames", "unevaluatedProperties")
_NOT_APPLIED = ("$defs", "definitions")  # looked into only through a reference
_UNSUPPORTED = {
    "$dynamicRef": "use $ref",
    "$dynamicAnchor": "use $defs",
    "$recursiveRef": "use $ref",
    "$recursiveAnchor": "use $defs",
    "$anchor": "refer by JSON pointer, such as #/$defs/name",
    "$vocabulary": "leave it out",
    "dependencies": "use dependentSchemas or dependentRequired",
    "additionalItems": "use prefixItems and items",
}


class SchemaRefusedError(ValueError):
    """Where in the schema (dotted), and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Step:
    """One level into the value: which items or properties a subschema sees.

    ``name`` None means all of them but those in ``others``; items count from ``start``.
    """

    kind: str
    name: str | int | None = None
    others: frozenset[str] = frozenset()
    start: int = 0

    def may_meet(self, other: "_Step") -> bool:
        if self.kind != other.kind:
            return False
        if self.name is not None and other.name is not None:
            return self.name == other.name
        named, rest = (self, other) if self.name is not None else (other, self)
        if isinstance(named.name, int):
            return named.name >= rest.start
        return named.name is None or named.name not in rest.others


def check_bounds(schema: Mapping[str, object] | bool) -> int:
    """Raise ``SchemaRefusedError`` for a schema that is too large, remote, or explosive.

    Returns the steps that its patterns may take for one character of a value.
    """
    try:
        check_json(schema, max_bytes=MAX_SCHEMA_BYTES, max_depth=MAX_DEPTH)
    except JsonRefusedError as refusal:
        raise SchemaRefusedError(refusal.path, refusal.reason) from refusal
    expansion = _Expansion(schema)
    expansion.run()
    return expansion.pattern_weight


class _Expansion:
    """Walks every place where a schema may stand, following references as a validator would."""

    def __init__(self, root: object) -> None:
        self.root = root
        self.nodes = 0
        self.pattern_weight = 0
        self.recursions: list[tuple[_Step, ...]] = []

    def run(self) -> None:
        self._visit(self.root, "", (), {"#": 0})

    def _check_unapplied(self, node: object, path: str) -> None:
        """A definition costs nothing until it is referred to, but must be well formed and local."""
        self._count()
        if isinstance(node, dict):
            _check_keywords(node, path)
            if "$ref" in node:
                _pointer(node["$ref"], _join(path, "$ref"))
            for place, child, _ in _subschemas(node):
                self._check_unapplied(child, _join(path, place))

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_EXPANDED_NODES:
            reason = f"has more than {MAX_EXPANDED_NODES} subschemas with its references followed"
            raise SchemaRefusedError("", reason)

    def _visit(
        self,
        node: object,
        path: str,
        route: tuple[_Step, ...],
        open_references: dict[str, int],
    ) -> None:
        """``open_references`` has the references being followed, with the route's length there."""
        self._count()
        if isinstance(node, bool):
            return
        if not isinstance(node, dict):
            raise SchemaRefusedError(path, "must be a schema: a table or a boolean")
        _check_keywords(node, path)
        self.pattern_weight += sum(map(pattern_weight, _patterns(node)))
        for place, child, steps in _subschemas(node):
            self._visit(child, _join(path, place), route + steps, open_references)
        for keyword in _NOT_APPLIED:
            for name, child in _table(node, keyword).items():
                self._check_unapplied(child, _join(path, f"{keyword}.{name}"))
        if "$ref" in node:
            self._follow(node["$ref"], _join(path, "$ref"), route, open_references)

    def _follow(
        self,
        reference: object,
        path: str,
        route: tuple[_Step, ...],
        open_references: dict[str, int],
    ) -> None:
        pointer = _pointer(reference, path)
        if pointer in open_references:
            self._recurse(path, route, open_references[pointer])
            return
        if len(open_references) > MAX_REFERENCES_IN_A_ROW:
            limit = MAX_REFERENCES_IN_A_ROW
            raise SchemaRefusedError(path, f"follows more than {limit} references in a row")
        target = _resolve(self.root, pointer, path)
        place = pointer[2:].replace("/", ".")
        self._visit(target, place, route, {**open_references, pointer: len(route)})

    def _recurse(self, path: str, route: tuple[_Step, ...], opened_at: int) -> None:
        if len(route) == opened_at:
            raise SchemaRefusedError(path, "refers to itself without going deeper into the value")
        if any(_overlap(route, earlier) for earlier in self.recursions):
            raise SchemaRefusedError(
                path,
                "recurses twice into the same part of the value, which takes exponential time",
            )
        if len(self.recursions) >= MAX_RECURSIONS:
            raise SchemaRefusedError(path, f"recurses in more than {MAX_RECURSIONS} places")
        self.recursions.append(route)


def _overlap(one: tuple[_Step, ...], other: tuple[_Step, ...]) -> bool:
    return all(left.may_meet(right) for left, right in zip(one, other, strict=False))


def _check_keywords(node: dict[str, object], path: str) -> None:
    for keyword, remedy in _UNSUPPORTED.items():
        if keyword in node:
            raise SchemaRefusedError(_join(path, keyword), f"is not supported: {remedy}")
    if node.get("$schema", DIALECT) not in (DIALECT, DIALECT + "#"):
        raise SchemaRefusedError(_join(path, "$schema"), f"must be {DIALECT}")
    if "$id" in node and path:
        raise SchemaRefusedError(_join(path, "$id"), "is not supported below the top of a schema")
    if any(len(text) > MAX_PATTERN_CHARACTERS for text in _patterns(node)):
        raise SchemaRefusedError(
            _join(path, "pattern"),
            f"is longer than {MAX_PATTERN_CHARACTERS} characters",
        )


def _patterns(node: dict[str, object]) -> list[str]:
    found = [*_table(node, "patternProperties"), node.get("pattern")]
    return [text for text in found if isinstance(text, str)]


def _subschemas(
    node: dict[str, object],
) -> Iterator[tuple[str, object, tuple[_Step, ...]]]:
    """Each subschema with its place and the step into the value that it takes."""
    for keyword in (key for key in _IN_PLACE if key in node):
        yield keyword, node[keyword], ()
    for keyword in _IN_PLACE_LISTS:
        for index, child in enumerate(_list(node, keyword)):
            yield f"{keyword}.{index}", child, ()
    for name, child in _table(node, "dependentSchemas").items():
        yield f"dependentSchemas.{name}", child, ()
    yield from _property_schemas(node)
    yield from _item_schemas(node)


def _property_schemas(
    node: dict[str, object],
) -> Iterator[tuple[str, object, tuple[_Step, ...]]]:
    named = _table(node, "properties")
    for name, child in named.items():
        yield f"properties.{name}", child, (_Step("property", name),)
    for name, child in _table(node, "patternProperties").items():
        yield f"patternProperties.{name}", child, (_Step("property"),)
    if "additionalProperties" in node:
        step = _Step("property", others=frozenset(named))
        yield "additionalProperties", node["additionalProperties"], (step,)
    for keyword in (key for key in _ALL_PROPERTIES if key in node):
        yield keyword, node[keyword], (_Step("property"),)


def _item_schemas(
    node: dict[str, object],
) -> Iterator[tuple[str, object, tuple[_Step, ...]]]:
    first = _list(node, "prefixItems")
    for index, child in enumerate(first):
        yield f"prefixItems.{index}", child, (_Step("item", index),)
    if "items" in node:
        yield "items", node["items"], (_Step("item", start=len(first)),)
    for keyword in (key for key in _ALL_ITEMS if key in node):
        yield keyword, node[keyword], (_Step("item"),)


def _pointer(reference: object, path: str) -> str:
    """The reference as '#' or '#/…', percent-decoded; anything else points out of the document."""
    pointer = unquote(reference) if isinstance(reference, str) else ""
    if pointer != "#" and not pointer.startswith("#/"):
        raise SchemaRefusedError(path, "refers outside the schema: only '#/…' is followed")
    return pointer


def _resolve(root: object, pointer: str, path: str) -> object:
    """The subschema at a JSON pointer of the same document."""
    found = root
    for part in pointer[2:].split("/") if pointer != "#" else ():
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise SchemaRefusedError(path, f"points to nothing: {pointer[:100]}")
    return found


def _table(node: dict[str, object], keyword: str) -> dict[str, object]:
    value = node.get(keyword)
    return value if isinstance(value, dict) else {}


def _list(node: dict[str, object], keyword: str) -> list[object]:
    value = node.get(keyword)
    return value if isinstance(value, list) else []


def _join(path: str, place: str) -> str:
    return f"{path}.{place}" if path else place
