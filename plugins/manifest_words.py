"""A manifest's sections as a person reads them: tables instead of schemas. Manifests as in rows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = Mapping[str, Any]

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "table",
    "null": "nothing",
}
_FORMATS = {"date": "date", "date-time": "moment", "uri": "address", "email": "e-mail address"}
_CHOICES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a schema's object; ``detail`` are its limits and its default."""

    name: str
    kind: str
    is_required: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    summary: str
    facts: tuple[str, ...]
    entries: tuple[Entry, ...]
    input_schema: str
    output_schema: str


def methods_of(manifest: JsonObject) -> list[Method]:
    return [_method(name, each) for name, each in sorted(manifest.get("methods", {}).items())]


def settings_of(manifest: JsonObject) -> list[Entry]:
    """What a tenant can configure."""
    return entries_of(manifest.get("config", {}).get("schema", {}))


def entries_of(schema: Any) -> list[Entry]:
    """The keys of an object's schema, the required ones first, else as written."""
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
        return []
    required = schema.get("required", ())
    entries = [
        Entry(name, _kind(each), name in required, _detail(each))
        for name, each in schema["properties"].items()
    ]
    return sorted(entries, key=lambda entry: not entry.is_required)


def health_of(manifest: JsonObject) -> list[tuple[str, str]]:
    health = manifest.get("health", {})
    words = (
        ("startup_seconds", "Must start within", "{:g} s"),
        ("liveness_seconds", "Must say that it lives within", "{:g} s"),
        ("readiness_seconds", "Must say that it is ready within", "{:g} s"),
        ("p99_seconds", "Unhealthy when 1 % of calls take longer than", "{:g} s"),
    )
    lines = [(label, form.format(health[key])) for key, label, form in words if key in health]
    if "error_rate" in health:
        lines.append(("Unhealthy when more calls fail than", f"{health['error_rate']:.2%}"))
    return lines


def metrics_of(manifest: JsonObject) -> list[dict[str, str]]:
    return [{"name": name, **each} for name, each in sorted(manifest.get("metrics", {}).items())]


def _method(name: str, spec: JsonObject) -> Method:
    examples = len(spec.get("examples", ()))
    facts = [
        f"at most {spec['timeout_seconds']:g} s" if "timeout_seconds" in spec else "",
        "safe to repeat" if spec.get("idempotent") else "not safe to repeat",
        f"{examples} example{'' if examples == 1 else 's'}" if examples else "no example",
    ]
    return Method(
        name,
        spec.get("summary", ""),
        tuple(fact for fact in facts if fact),
        tuple(entries_of(spec.get("input_schema"))),
        _json(spec.get("input_schema")),
        _json(spec.get("output_schema")),
    )


def _json(schema: Any) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) if schema else ""


def _kind(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "anything" if schema else "nothing"
    if "const" in schema:
        return f"always {_value(schema['const'])}"
    if "enum" in schema:
        return "one of"
    kinds = schema.get("type", ())
    words = [_TYPES.get(kind, str(kind)) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    if words == ["text"]:
        words = [_FORMATS.get(schema.get("format", ""), "text")]
    if words == ["list"] and isinstance(schema.get("items"), Mapping):
        return f"list: {_kind(schema['items'])}"
    return " or ".join(words) or "anything"


def _detail(schema: Any) -> str:
    return "; ".join(_details(schema)) if isinstance(schema, Mapping) else ""


def _details(schema: JsonObject) -> Iterator[str]:
    if "enum" in schema:
        values = [_value(value) for value in schema["enum"]]
        more = f" and {len(values) - _CHOICES_SHOWN} more" if len(values) > _CHOICES_SHOWN else ""
        yield ", ".join(values[:_CHOICES_SHOWN]) + more
    yield from _range(schema, "minimum", "maximum", "")
    yield from _range(schema, "minLength", "maxLength", " characters")
    yield from _range(schema, "minItems", "maxItems", " items")
    if "default" in schema:
        yield f"{_value(schema['default'])} unless set"
    if schema.get("description"):
        yield str(schema["description"])


def _range(schema: JsonObject, low: str, high: str, unit: str) -> Iterator[str]:
    least, most = schema.get(low), schema.get(high)
    if least is not None and least == most:
        yield f"exactly {least}{unit}"
    elif least is not None and most is not None:
        yield f"{least} to {most}{unit}"
    elif most is not None:
        yield f"at most {most}{unit}"
    elif least is not None:
        yield f"at least {least}{unit}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
