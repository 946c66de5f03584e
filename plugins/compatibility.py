"""What a version changes that its users or approvers must know. Manifests as they stand in rows."""

from collections.abc import Iterator, Mapping
from typing import Any

JsonObject = Mapping[str, Any]


def breaking_changes(before: JsonObject, after: JsonObject) -> list[str]:
    """Why calls, configs or permissions that fit ``before`` may not fit ``after``."""
    return [
        *_methods(before.get("methods", {}), after.get("methods", {})),
        *_schema("config", _config(before), _config(after)),
        *_secrets(before.get("secrets", {}), after.get("secrets", {})),
        *_permissions(before.get("permissions", {}), after.get("permissions", {})),
    ]


def _methods(before: JsonObject, after: JsonObject) -> Iterator[str]:
    for name in sorted(set(before) - set(after)):
        yield f"method {name} is gone"
    for name in sorted(set(before) & set(after)):
        old, new = before[name], after[name]
        yield from _schema(
            f"input of {name}", old.get("input_schema", {}), new.get("input_schema", {})
        )
        if old.get("idempotent") and not new.get("idempotent"):
            yield f"method {name} is no longer idempotent"


def _schema(what: str, before: JsonObject, after: JsonObject) -> Iterator[str]:
    for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        yield f"{what} now requires {name}"
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in sorted(set(old) - set(new)):
        yield f"{what} no longer knows {name}"
    for name in sorted(set(old) & set(new)):
        if _type(old[name]) != _type(new[name]):
            yield f"{what} has another type of {name}"


def _type(schema: Any) -> Any:
    return schema.get("type") if isinstance(schema, Mapping) else schema


def _config(manifest: JsonObject) -> JsonObject:
    schema = manifest.get("config", {}).get("schema", {})
    return schema if isinstance(schema, Mapping) else {}


def _secrets(before: JsonObject, after: JsonObject) -> Iterator[str]:
    for name in sorted(set(after) - set(before)):
        yield f"secret {name} is new"


def _permissions(before: JsonObject, after: JsonObject) -> Iterator[str]:
    if after.get("native") and not before.get("native"):
        yield "asks for native code"
    reached = {_rule(rule) for rule in before.get("egress", ())}
    for rule in after.get("egress", ()):
        if _rule(rule) not in reached:
            yield f"asks for egress to {rule.get('host')}"


def _rule(rule: JsonObject) -> tuple[Any, ...]:
    return rule.get("host"), tuple(rule.get("methods", ())), tuple(rule.get("ports", ()))
