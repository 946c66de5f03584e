"""What a version changes that its users or approvers must know. Manifests as they stand in rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.manifest_types import EgressRule
from plugins.schema_changes import SchemaChange, find_new_output, find_refused
from plugins.versions import parse_version

JsonObject = Mapping[str, Any]
MAJOR = "major_version"


@dataclass(frozen=True, slots=True)
class BreakingChange:
    """``kind`` is one of a few words, ``path`` leads to the place in the manifest."""

    kind: str
    path: str
    message: str

    def __str__(self) -> str:
        return self.message


def breaking_changes(before: JsonObject, after: JsonObject) -> list[BreakingChange]:
    """Why calls, configs or permissions that fit ``before`` may not fit ``after``.

    A new major version counts as such a change, because its author says that it is one.
    """
    return [
        *_major(before, after),
        *_methods(before.get("methods", {}), after.get("methods", {})),
        *_config(before, after),
        *_secrets(before.get("secrets", {}), after.get("secrets", {})),
        *_permissions(before.get("permissions", {}), after.get("permissions", {})),
        *_isolation(before.get("isolation", {}), after.get("isolation", {})),
    ]


def says_breaking(before: str, after: str) -> bool:
    """Whether the number alone announces it: a new X.y.z, or before 1.0.0 a new 0.Y.z."""
    old, new = parse_version(before).release, parse_version(after).release
    return new[0] > old[0] or (new[0] == old[0] == 0 and new[1] > old[1])


def find_unannounced(before: JsonObject, after: JsonObject) -> str:
    """What to tell an author whose number hides that the version breaks something; else empty."""
    old, new = before.get("version", ""), after.get("version", "")
    if not old or not new or says_breaking(old, new):
        return ""
    found = breaking_changes(before, after)
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"It breaks what {old} promised ({found[0]}{more}), but {new} is not a new major version."
    )


def _major(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    old, new = before.get("version"), after.get("version")
    if old and new and parse_version(new).major > parse_version(old).major:
        yield BreakingChange(MAJOR, "version", f"{new} is a new major version after {old}")


def _methods(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    for name in sorted(set(before) - set(after)):
        yield BreakingChange("method_removed", f"methods.{name}", f"method {name} is gone")
    for name in sorted(set(before) & set(after)):
        old, new = before[name], after[name]
        for side, find in _SIDES.items():
            found = find(old.get(f"{side}_schema", {}), new.get(f"{side}_schema", {}))
            place = f"methods.{name}.{side}_schema"
            yield from _named(f"{side}_changed", place, f"{side} of {name}", found)
        if old.get("idempotent") and not new.get("idempotent"):
            yield BreakingChange(
                *("method_changed", f"methods.{name}.idempotent"),
                f"method {name} is no longer idempotent",
            )


_SIDES: Mapping[str, Callable[[Any, Any], list[SchemaChange]]] = {
    "input": find_refused,
    "output": find_new_output,
}


def _config(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    # Without a schema only an empty config is taken, so whatever came later took that as well.
    nothing = {"type": "object", "properties": {}, "additionalProperties": False}
    old, new = (each.get("config", {}).get("schema", nothing) for each in (before, after))
    found = find_refused(old or nothing, new or nothing)
    required = [each for each in found if each.keyword == "required"]
    yield from _named("config_required", "config.schema", "config", required)
    rest = [each for each in found if each.keyword != "required"]
    yield from _named("config_changed", "config.schema", "config", rest)


def _named(kind: str, place: str, what: str, found: list[SchemaChange]) -> Iterator[BreakingChange]:
    for change in found:
        where = f"{what}: {change.path}" if change.path else f"{what}:"
        path = f"{place}.{change.path}" if change.path else place
        yield BreakingChange(kind, path, f"{where} {change.message}")


def _secrets(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    for name in sorted(set(after) - set(before)):
        yield BreakingChange("secret_added", f"secrets.{name}", f"secret {name} is new")
    for name in sorted(set(after) & set(before)):
        if after[name] != before[name] and after[name].get("mode") == "value":
            message = f"secret {name} is now read by the plugin's code"
            yield BreakingChange("secret_exposed", f"secrets.{name}", message)
        elif (after[name].get("host"), after[name].get("header")) != (
            before[name].get("host"),
            before[name].get("header"),
        ):
            message = f"secret {name} now goes to another place"
            yield BreakingChange("secret_exposed", f"secrets.{name}", message)


def _permissions(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    if after.get("native") and not before.get("native"):
        yield BreakingChange("permission_added", "permissions.native", "asks for native code")
    reached = set(_reached(before))
    new: dict[str, list[str]] = {}
    for host, method, port in _reached(after):
        if (host, method, port) not in reached:
            new.setdefault(host, []).append(f"{method} on port {port}")
    for host, ways in sorted(new.items()):
        message = f"asks for egress to {host} ({', '.join(ways)})"
        yield BreakingChange("permission_added", "permissions.egress", message)


def _reached(permissions: JsonObject) -> Iterator[tuple[str, str, int]]:
    for rule in permissions.get("egress", ()):
        given = rule if isinstance(rule, Mapping) else {"host": rule}
        defaults = EgressRule(host=str(given.get("host")))
        for method in given.get("methods", defaults.methods):
            for port in given.get("ports", defaults.ports):
                yield defaults.host, method, port


def _isolation(before: JsonObject, after: JsonObject) -> Iterator[BreakingChange]:
    old, new = before.get("scope", "tenant"), after.get("scope", "tenant")
    if old == "tenant" and new == "version":
        message = "tenants now share a process"
        yield BreakingChange("permission_added", "isolation.scope", message)
