"""``hotswap.toml``: what a version of a plugin is, needs and may do (docs/writing-a-plugin.md)."""

import keyword
import re
from collections.abc import Callable, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hotswap.lib.errors import HotSwapError, InvalidInputError
from plugins import manifest_sections as sections
from plugins.artifact.names import RESERVED_MODULES
from plugins.manifest_examples import check_examples, compile_schemas
from plugins.manifest_reader import Problems, Table
from plugins.manifest_text import TomlRefusedError, read_toml
from plugins.manifest_types import SCHEMA_VERSION, Dependencies, Manifest
from plugins.versions import parse_specifier, parse_version, satisfies

PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
PLUGIN_NAME_FORM = "lower-case letters a-z, digits and single hyphens, a letter first"
MAX_NAME_CHARACTERS = 63
HOOKS = frozenset(["startup", "shutdown", "liveness", "readiness", "config_changed", "drain"])
_ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


class ManifestError(InvalidInputError):
    """The manifest is not accepted; ``fields`` has every problem by the path of its key."""

    code = "invalid_manifest"


def parse_manifest(text: str | bytes) -> Manifest:
    """Read and check the text of ``hotswap.toml``, or raise ``ManifestError`` with all problems."""
    try:
        data = read_toml(text)
    except TomlRefusedError as refusal:
        problem = {"hotswap.toml": [str(refusal)]}
        raise ManifestError(f"The manifest {refusal}.", fields=problem) from refusal
    return load_manifest(data)


def load_manifest(data: Mapping[str, object]) -> Manifest:
    """The same from a table: the inverse of ``Manifest.as_dict``."""
    problems = Problems()
    root = Table(data, problems)
    manifest = _read(root)
    root.finish()
    _check_together(manifest, problems)
    if problems:
        raise _error(problems)
    return manifest


def compatibility_problems(
    manifest: Manifest, *, python: str, hotswap: str
) -> dict[str, list[str]]:
    """Why it cannot run on that Python (``3.11.4``) and HotSwap, by key; empty if it can."""
    found = {}
    for key, name, have in (
        ("requires_python", "Python", python),
        ("requires_hotswap", "HotSwap", hotswap),
    ):
        wanted = getattr(manifest, key)
        if wanted and not satisfies(have.rstrip("+"), wanted):  # a + marks a local build
            found[key] = [f"wants {name} {wanted}; here is {have}"]
    return found


def _error(problems: Problems) -> ManifestError:
    path, messages = next(iter(problems.fields.items()))
    more = sum(len(found) for found in problems.fields.values()) - 1
    rest = f" (and {more} more)" if more else ""
    return ManifestError(
        f"The manifest is not accepted: {path} {messages[0]}{rest}.", fields=problems.fields
    )


def _read(root: Table) -> Manifest:
    if root.take("schema_version") != SCHEMA_VERSION:
        root.problem("schema_version", f"must be {SCHEMA_VERSION}")
    resources = sections.read_resources(root)
    return Manifest(
        name=_read_name(root),
        version=_read_version(root),
        summary=root.text("summary"),
        author=root.text("author", ""),
        entry_point=_read_entry_point(root),
        requires_python=_read_constraint(root, "requires_python"),
        requires_hotswap=_read_constraint(root, "requires_hotswap"),
        dependencies=_read_dependencies(root),
        methods=sections.read_methods(root, resources.wall_seconds),
        config=sections.read_config(root),
        secrets=sections.read_secrets(root),
        permissions=sections.read_permissions(root),
        resources=resources,
        health=sections.read_health(root),
        metrics=sections.read_metrics(root),
        isolation=sections.read_isolation(root),
    )


def _read_name(root: Table) -> str:
    return root.text(
        "name", maximum=MAX_NAME_CHARACTERS, pattern=PLUGIN_NAME, form=PLUGIN_NAME_FORM
    )


def _read_version(root: Table) -> str:
    text = root.text("version")
    if text:
        _note(root, "version", lambda: parse_version(text))
    return text


def _read_constraint(root: Table, key: str) -> str:
    text = root.text(key, "")
    if text:
        _note(root, key, lambda: parse_specifier(text))
    return text


def _note(root: Table, key: str, read: Callable[[], object]) -> None:
    try:
        read()
    except HotSwapError as error:
        root.problem(key, error.message.rstrip("."))


def _read_entry_point(root: Table) -> str:
    form = "write module:object, for example invoice_tax:InvoiceTax"
    text = root.text("entry_point", pattern=_ENTRY_POINT, form=form)
    parts = text.replace(":", ".").split(".") if text else []
    if any(keyword.iskeyword(part) for part in parts):
        root.problem("entry_point", f"{text!r} is not accepted: {form}")
    elif parts and parts[0] in RESERVED_MODULES:
        root.problem("entry_point", f"module {parts[0]!r} is Python's or HotSwap's own")
    return text


def _read_dependencies(root: Table) -> Dependencies:
    table = root.table("dependencies")
    found = Dependencies(
        plugins=_requirements(table, "plugins"), python=_requirements(table, "python")
    )
    table.finish()
    return found


def _requirements(table: Table, key: str) -> tuple[str, ...]:
    """Names and version constraints only: anything else could make an installer run code."""
    names: set[str] = set()
    found = []
    for index, text in enumerate(table.strings(key)):
        requirement = _requirement(table, f"{key}.{index}", text)
        if requirement is None:
            continue
        name = canonicalize_name(requirement.name)
        if name in names:
            table.problem(f"{key}.{index}", f"names {name} a second time")
        if key == "plugins" and not PLUGIN_NAME.fullmatch(requirement.name):
            table.problem(f"{key}.{index}", f"is not a plugin's name: {PLUGIN_NAME_FORM}")
        names.add(name)
        found.append(str(requirement))
    return tuple(found)


def _requirement(table: Table, place: str, text: str) -> Requirement | None:
    form = "write a name and a constraint, such as 'babel>=2.14,<3'"
    try:
        requirement = Requirement(text) if len(text) <= 200 else None
    except InvalidRequirement:
        requirement = None
    if requirement is None:
        table.problem(place, f"{text[:64]!r} is not accepted: {form}")
    elif requirement.url or requirement.extras or requirement.marker:
        table.problem(place, f"has a direct reference, extra or marker: {form}")
    else:
        return requirement
    return None


def _check_together(manifest: Manifest, problems: Problems) -> None:
    """What no single key can tell."""
    for name in manifest.methods:
        if name in HOOKS or keyword.iskeyword(name):
            problems.add(f"methods.{name}", "is a hook's or Python's own word, not a method's name")
    if manifest.name in manifest.dependencies.plugin_constraints():
        problems.add("dependencies.plugins", "names the plugin itself")
    _check_secrets(manifest, problems)
    check_examples(manifest, compile_schemas(manifest, problems), problems)


def _check_secrets(manifest: Manifest, problems: Problems) -> None:
    hosts = {rule.host for rule in manifest.permissions.egress}
    for name, secret in manifest.secrets.items():
        if secret.host and secret.host not in hosts:
            reach = f"{secret.host} is not among the hosts of permissions.egress"
            problems.add(f"secrets.{name}.host", reach)
        if secret.mode == "value" and manifest.isolation.scope == "version":
            rule = 'mode = "value" is not possible with isolation scope = "version"'
            problems.add(f"secrets.{name}.mode", f"{rule}, where tenants share a process")
