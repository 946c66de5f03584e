"""Which plugins need which: read from rows, checked at upload and before anything is removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from packaging.requirements import Requirement

from hotswap.lib.errors import ConflictError
from plugins.dependency_graph import (
    GONE,
    Conflict,
    Edge,
    Graph,
    KnownVersion,
    Node,
    Registry,
    draw_graph,
    find_cycle,
    is_satisfiable,
)
from plugins.incoming import Incoming
from plugins.manifest_types import Manifest
from plugins.models import Plugin, PluginDependency, PluginVersion
from plugins.versions import satisfies

__all__ = [
    "Conflict",
    "Dependent",
    "Edge",
    "Graph",
    "Node",
    "add_dependencies",
    "breaks",
    "check_dependencies",
    "check_nobody_needs",
    "dependency_graph",
    "dependents_of",
    "known_version",
    "needs_of",
    "read_registry",
]

# Uploads that need plugins take turns: two that need each other must not both find no cycle.
_UPLOAD_LOCK = 7_103_402
# The plugins that can be reached from some, along what any version that counts needs.
_REACHABLE = """
WITH RECURSIVE reachable(name) AS (
    SELECT unnest(%s::text[])
  UNION
    SELECT dependency.name::text
    FROM reachable
    JOIN plugins plugin ON plugin.name = reachable.name
    JOIN plugin_versions version ON version.plugin_id = plugin.id AND version.status <> ALL(%s)
    JOIN plugin_dependencies dependency ON dependency.version_id = version.id
)
SELECT name FROM reachable
"""


@dataclass(frozen=True, slots=True)
class Dependent:
    """A version of another plugin that needs the one asked about."""

    plugin: str
    version: str
    status: str
    specifier: str

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}"


def dependency_graph(
    plugin: Plugin,
    version: PluginVersion | None = None,
    active: Mapping[str, KnownVersion] | None = None,
) -> Graph:
    """What ``version`` needs, by default the newest that may still be used, and what that needs.

    ``active`` are the versions that an environment runs; without, the best ones are chosen.
    Reads the database five times at most, however large the graph is.
    """
    registry = read_registry([plugin.name])
    known = [each for each in registry.get(plugin.name, ()) if each.status not in GONE]
    if version is not None:
        root = KnownVersion(plugin.name, version.version, version.status, needs_of(version))
    elif known:
        root = min(known, key=lambda each: each.status in ("yanked", "draft"))
    else:
        return Graph()
    return draw_graph(root, registry, active)


def dependents_of(plugin: Plugin) -> list[Dependent]:
    """Versions of other plugins that need any version of this one; withdrawn ones do not count."""
    rows = (
        PluginDependency.objects.filter(name=plugin.name)
        .exclude(version__status__in=GONE)
        .order_by("version__plugin__name", "-version__sort_key")
    )
    fields = ("version__plugin__name", "version__version", "version__status", "specifier")
    return [Dependent(*row) for row in rows.values_list(*fields)]


def read_registry(names: Iterable[str]) -> Registry:
    """These plugins and all that they need, directly or not, with every version; newest first."""
    reachable = _reachable(names)
    found: dict[str, list[KnownVersion]] = {
        name: []
        for name in Plugin.objects.filter(name__in=reachable).values_list("name", flat=True)
    }
    needs = _needs_by_version(reachable)
    rows = PluginVersion.objects.filter(plugin__name__in=reachable).order_by("-sort_key")
    for pk, name, version, status in rows.values_list("pk", "plugin__name", "version", "status"):
        known = KnownVersion(name, version, status, tuple(needs.get(pk, ())))
        found[name].append(known)
    return found


def known_version(version: PluginVersion) -> KnownVersion:
    """The row as graphs see it; reads its needs."""
    return KnownVersion(version.plugin.name, version.version, version.status, needs_of(version))


def needs_of(version: PluginVersion) -> tuple[tuple[str, str], ...]:
    """Pairs of a plugin's name and a specifier, by name; from the rows written at upload."""
    rows = sorted(version.plugin_dependencies.all(), key=lambda row: row.name)
    return tuple((row.name, row.specifier) for row in rows)


def check_dependencies(incoming: Incoming) -> None:
    """Refuse what no version can satisfy, and what would come back to the plugin itself."""
    needs = _needs_in(incoming.manifest)
    if needs:
        _check_needs(KnownVersion(incoming.plugin.name, incoming.manifest.version, "draft", needs))


def add_dependencies(incoming: Incoming, version: PluginVersion) -> None:
    """A row for each need; checked again under a lock, because others may upload as well."""
    needs = _needs_in(incoming.manifest)
    if not needs:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_UPLOAD_LOCK])
    _check_needs(KnownVersion(version.plugin.name, version.version, version.status, needs))
    PluginDependency.objects.bulk_create(
        PluginDependency(version=version, name=name, specifier=text) for name, text in needs
    )


def check_nobody_needs(plugin: Plugin) -> None:
    """Refuse to remove a plugin that versions of others need."""
    dependents = dependents_of(plugin)
    if dependents:
        named = ", ".join(str(each) for each in dependents[:10])
        more = f" and {len(dependents) - 10} more" if len(dependents) > 10 else ""
        raise ConflictError(
            f"Plugin {plugin.name} is needed by {named}{more}: deprecate it instead, or reject or "
            "revoke those versions first.",
            code="plugin_needed",
        )


def breaks(dependents: Sequence[Dependent], version: str) -> list[Dependent]:
    """Those whose specifier the version does not meet."""
    return [each for each in dependents if not satisfies(version, each.specifier)]


def _check_needs(version: KnownVersion) -> None:
    registry = read_registry([version.name, *(name for name, _ in version.needs)])
    unmet = [
        f"no version of {name} satisfies {specifier or 'any version'}"
        for name, specifier in version.needs
        if not is_satisfiable(name, specifier, registry)
    ]
    if unmet:
        raise ConflictError(
            f"{version} cannot be used anywhere: {'; '.join(unmet)}.",
            code="dependency_unsatisfiable",
            fields={"dependencies.plugins": unmet},
        )
    cycle = find_cycle(version, registry)
    if cycle:
        way = " → ".join(cycle)
        raise ConflictError(
            f"{version} would need itself: {way}. Take one of these out of dependencies.plugins.",
            code="dependency_cycle",
            fields={"dependencies.plugins": [f"{way} is a cycle"]},
        )


def _needs_in(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    wanted = [Requirement(text) for text in manifest.dependencies.plugins]
    return tuple(sorted((each.name, str(each.specifier)) for each in wanted))


def _reachable(names: Iterable[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_REACHABLE, [sorted(set(names)), sorted(GONE)])
        return [name for (name,) in cursor.fetchall()]


def _needs_by_version(names: Sequence[str]) -> Mapping[UUID, list[tuple[str, str]]]:
    found: dict[UUID, list[tuple[str, str]]] = {}
    rows = PluginDependency.objects.filter(version__plugin__name__in=names).order_by("name")
    for pk, name, specifier in rows.values_list("version_id", "name", "specifier"):
        found.setdefault(pk, []).append((name, specifier))
    return found
