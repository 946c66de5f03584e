"""Whether an environment has what a version needs, and whom a version would break there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from deployments.admissions import enabled_installations
from deployments.models import Hold, Route
from hotswap.lib.errors import ConflictError
from plugins.dependencies import dependency_graph, needs_of
from plugins.dependency_graph import GONE, Graph, KnownVersion
from plugins.models import Environment, Plugin, PluginDependency, PluginVersion
from plugins.versions import satisfies
from tenants.models import TenantPluginConfig

MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class Unmet:
    """A need that does not hold; ``found`` says what is there instead.

    ``tenants`` are those that a pin or a hold keeps there; without any, it is everybody.
    """

    needs: str
    found: str
    tenants: tuple[str, ...] = ()

    def __str__(self) -> str:
        who = f" for {_named(self.tenants)}" if self.tenants else ""
        return f"{self.needs} ({self.found}{who})"


@dataclass(frozen=True, slots=True)
class Broken:
    """A version in use that would lose what it needs."""

    version: str
    needs: str
    roles: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.version} ({', '.join(self.roles)}; needs {self.needs})"


@dataclass(frozen=True, slots=True)
class DependencyReport:
    """What stands in the way of a version in an environment; nothing does where ``is_valid``."""

    environment: str
    graph: Graph
    unmet: tuple[Unmet, ...]
    broken: tuple[Broken, ...]

    @property
    def is_valid(self) -> bool:
        return not self.unmet and not self.broken


def validate_dependencies(version: PluginVersion, environment: Environment) -> DependencyReport:
    """Everything that ``refuse_unmet`` and ``refuse_broken`` would refuse, and the graph there."""
    return DependencyReport(
        environment=environment.name,
        graph=dependency_graph(version.plugin, version, _active_in(environment)),
        unmet=tuple(find_unmet(version, environment)),
        broken=tuple(find_broken(version, environment)),
    )


def refuse_unmet(version: PluginVersion, environment: Environment) -> None:
    """Raise unless all that the version needs is active there, for its tenants too."""
    unmet = find_unmet(version, environment)
    if unmet:
        raise ConflictError(
            f"{version} needs {_named(unmet)} in {environment}; deploy that first",
            code="dependency_missing",
        )


def refuse_broken(version: PluginVersion, environment: Environment) -> None:
    """Raise if what runs there would no longer have what it needs, and name all of it."""
    broken = find_broken(version, environment)
    if broken:
        raise ConflictError(
            f"{version} would break {_named(broken)} in {environment}; deploy versions of those "
            f"that accept {version} first",
            code="dependency_broken",
        )


def find_unmet(version: PluginVersion, environment: Environment) -> list[Unmet]:
    needs = needs_of(version)
    if not needs:
        return []
    routes = _routes(environment, [name for name, _ in needs])
    kept = _kept_tenants(version.plugin, environment, [name for name, _ in needs])
    return [found for need in needs for found in _unmet(*need, routes, kept)]


def find_broken(version: PluginVersion, environment: Environment) -> list[Broken]:
    """Versions in use whose need the stable version meets and this one does not."""
    stable = Route.objects.filter(plugin=version.plugin_id, environment=environment)
    now = stable.values_list("stable__version", flat=True).first()
    if now is None:
        return []
    return [
        Broken(str(row.version), f"{row.name}{row.specifier}", roles)
        for row, roles in _needing(version.plugin, environment)
        if satisfies(now, row.specifier) and not satisfies(version.version, row.specifier)
    ]


def who_needs(plugin: Plugin, environment: Environment) -> list[str]:
    """Versions in use there, of other plugins, that need the plugin: ``shop 1.0.0``."""
    return [str(row.version) for row, _ in _needing(plugin, environment)]


def _needing(
    plugin: Plugin, environment: Environment
) -> Iterator[tuple[PluginDependency, tuple[str, ...]]]:
    rows = PluginDependency.objects.filter(name=plugin.name).select_related("version__plugin")
    in_use = _versions_in_use(environment, rows.values("version__plugin"))
    for row in rows.filter(version__in=list(in_use)).order_by(
        "version__plugin__name", "version__sort_key"
    ):
        yield row, in_use[row.version_id]


def _versions_in_use(environment: Environment, plugins: object) -> Mapping[UUID, tuple[str, ...]]:
    """What serves somebody there, and as what: stable, candidate, pinned, held."""
    found: dict[UUID, dict[str, None]] = {}
    there = Q(plugin__in=plugins, environment=environment)
    routes = Route.objects.filter(there).values_list("stable_id", "candidate_id")
    roles = [
        *((version, "stable") for version, _ in routes),
        *((version, "candidate") for _, version in routes),
        *((version, "pinned") for version in _pins(there, timezone.now()).distinct()),
        *((version, "held") for version in _holds(there).distinct()),
    ]
    for version, role in roles:
        if version is not None:
            found.setdefault(version, {})[role] = None
    return {version: tuple(each) for version, each in found.items()}


def _pins(there: Q, now: datetime) -> "QuerySet[Any, UUID]":
    in_force = Q(pin_expires_at=None) | Q(pin_expires_at__gt=now)
    rows = TenantPluginConfig.objects.enabled().filter(
        there, in_force, pinned_version__isnull=False
    )
    return rows.order_by().values_list("pinned_version", flat=True)


def _holds(there: Q) -> "QuerySet[Any, UUID]":
    rows = Hold.objects.filter(there, cleared_at__isnull=True)
    return rows.order_by().values_list("version", flat=True)


def _routes(environment: Environment, names: Sequence[str]) -> Mapping[str, Route]:
    rows = Route.objects.filter(environment=environment, plugin__name__in=names)
    return {row.plugin.name: row for row in rows.select_related("plugin", "stable", "candidate")}


def _active_in(environment: Environment) -> Mapping[str, KnownVersion]:
    """By plugin, the stable version that calls reach; a graph asks for no other."""
    routes = Route.objects.filter(
        environment=environment, is_killed=False, plugin__is_active=True, stable__isnull=False
    ).exclude(stable__status__in=GONE)
    found: dict[UUID, tuple[str, str, str]] = {
        pk: (name, version, status)
        for pk, name, version, status in routes.values_list(
            "stable", "plugin__name", "stable__version", "stable__status"
        )
    }
    needs: dict[UUID, list[tuple[str, str]]] = {}
    rows = PluginDependency.objects.filter(version__in=list(found)).order_by("name", "pk")
    for pk, name, specifier in rows.values_list("version_id", "name", "specifier"):
        needs.setdefault(pk, []).append((name, specifier))
    return {row[0]: KnownVersion(*row, needs=tuple(needs.get(pk, ()))) for pk, row in found.items()}


def _unmet(
    name: str,
    specifier: str,
    routes: Mapping[str, Route],
    kept: Mapping[str, Mapping[str, Sequence[str]]],
) -> Iterator[Unmet]:
    needs = f"{name}{specifier}"
    wrong = _wrong_route(routes.get(name), specifier)
    if wrong:
        yield Unmet(needs, wrong)
    for version, tenants in kept.get(name, {}).items():
        if not satisfies(version, specifier):
            yield Unmet(needs, f"{version} is pinned or held", tuple(sorted(tenants)))


def _wrong_route(route: Route | None, specifier: str) -> str:
    """Why what is routed does not do, as words; empty where it does."""
    if route is None or route.stable is None:
        return "stable is nothing"
    if route.is_killed or not route.plugin.is_active:
        return f"{route.plugin.name} is switched off"
    if route.stable.status in GONE:
        return f"{route.stable.version} is {route.stable.status}"
    if not satisfies(route.stable.version, specifier):
        return f"stable is {route.stable.version}"
    if route.candidate and not satisfies(route.candidate.version, specifier):
        return f"{route.candidate.version} is being deployed"
    return ""


def _kept_tenants(
    plugin: Plugin, environment: Environment, names: Sequence[str]
) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Of the plugin's tenants those that a pin or hold keeps on versions of ``names``."""
    tenants = enabled_installations(plugin, environment).values("tenant_id")
    there = Q(plugin__name__in=names, environment=environment, tenant__in=tenants)
    in_force = Q(pin_expires_at=None) | Q(pin_expires_at__gt=timezone.now())
    pins = TenantPluginConfig.objects.enabled().filter(
        there, in_force, pinned_version__isnull=False
    )
    holds = Hold.objects.filter(there, cleared_at__isnull=True)
    pairs = [
        *pins.values_list("plugin__name", "pinned_version__version", "tenant__slug"),
        *holds.values_list("plugin__name", "version__version", "tenant__slug"),
    ]
    found: dict[str, dict[str, list[str]]] = {}
    for name, version, slug in pairs:
        found.setdefault(name, {}).setdefault(version, []).append(slug)
    return found


def _named(things: Iterable[object]) -> str:
    texts = [str(each) for each in things]
    more = f" and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return ", ".join(texts[:MAX_NAMED]) + more
