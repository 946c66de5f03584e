"""What a version is given, in words, and how two versions differ in it. Manifests as in rows."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plugins.manifest_types import EgressRule, Isolation, Resources

JsonObject = Mapping[str, Any]

NETWORK, NATIVE, SECRETS, RESOURCES = "Network", "Native code", "Secrets", "Resources"
_DEFAULTS: Mapping[str, Any] = asdict(Resources())
_RESOURCES = {
    "memory_mb": ("Memory", "MB"),
    "cpu_seconds": ("CPU time of a call", "s"),
    "wall_seconds": ("Length of a call", "s"),
    "pids": ("Processes and threads", ""),
    "tmp_mb": ("Temporary files", "MB"),
    "processes": ("Plugin processes for a tenant", ""),
    "threads": ("Calls at a time in a process", ""),
}
_SCOPES = {"tenant": "a process for each tenant", "version": "a process for all tenants"}


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of what a version may do: ``detail`` says how far it goes."""

    group: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class GrantChange:
    """``before`` is None where it is new, ``after`` where it is gone."""

    group: str
    name: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def grants_of(manifest: JsonObject) -> list[Grant]:
    """Everything that the manifest asks for, defaults included, always in the same order."""
    permissions = _table(manifest, "permissions")
    return [
        *_network(permissions),
        *_native(permissions),
        *_secrets(_table(manifest, "secrets")),
        *_resources(_table(manifest, "resources")),
        *_isolation(_table(manifest, "isolation")),
    ]


def grant_changes(before: JsonObject, after: JsonObject) -> list[GrantChange]:
    """What ``after`` asks for and ``before`` did not, or otherwise; in the order of the grants."""
    old = {(each.group, each.name): each.detail for each in grants_of(before)}
    new = {(each.group, each.name): each.detail for each in grants_of(after)}
    groups = (NETWORK, NATIVE, SECRETS, RESOURCES)
    keys = sorted(dict.fromkeys([*old, *new]), key=lambda key: groups.index(key[0]))
    return [
        GrantChange(*key, old.get(key), new.get(key))
        for key in keys
        if old.get(key) != new.get(key)
    ]


def _network(permissions: JsonObject) -> Iterator[Grant]:
    """A host in several rules is one line, because a reader looks for the host."""
    rules: dict[str, list[str]] = {}
    for rule in permissions.get("egress", ()):
        host, words = _egress(rule)
        rules.setdefault(host, []).append(words)
    for host in sorted(rules):
        yield Grant(NETWORK, host, "; ".join(sorted(rules[host])))


def _egress(rule: Any) -> tuple[str, str]:
    if not isinstance(rule, Mapping):
        rule = {"host": rule}
    defaults = EgressRule(host=str(rule.get("host")))
    methods = ", ".join(rule.get("methods", defaults.methods))
    ports = ", ".join(str(port) for port in rule.get("ports", defaults.ports))
    return defaults.host, f"{methods} on port {ports}"


def _native(permissions: JsonObject) -> Iterator[Grant]:
    if permissions.get("native"):
        yield Grant(NATIVE, "Compiled extensions", "machine code runs in the plugin's process")


def _secrets(secrets: JsonObject) -> Iterator[Grant]:
    for name, secret in sorted(secrets.items()):
        if secret.get("mode", "header") == "value":
            yield Grant(SECRETS, name, "the plugin's code reads the value")
        else:
            place = f"in header {secret.get('header')} to {secret.get('host')}"
            yield Grant(SECRETS, name, f"sent {place}; the code never sees it")


def _resources(resources: JsonObject) -> Iterator[Grant]:
    for name, (label, unit) in _RESOURCES.items():
        amount = f"{resources.get(name, _DEFAULTS[name]):g}"
        yield Grant(RESOURCES, label, f"{amount} {unit}".strip())


def _isolation(isolation: JsonObject) -> Iterator[Grant]:
    scope = isolation.get("scope", Isolation().scope)
    yield Grant(RESOURCES, "Isolation", _SCOPES.get(scope, str(scope)))


def _table(manifest: JsonObject, name: str) -> JsonObject:
    value = manifest.get(name, {})
    return value if isinstance(value, Mapping) else {}
