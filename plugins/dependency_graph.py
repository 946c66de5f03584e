"""What a version needs of other plugins, as a graph with one version for each plugin. Pure.

An environment runs one version of a plugin at a time, so each name is one node.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from plugins.versions import satisfies

# What must not be chosen any more, and the order in which the rest is.
GONE = frozenset({"rejected", "revoked"})
_CHOICE = {"approved": 0, "deprecated": 0, "draft": 1, "yanked": 2}
_FREE_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version that could be chosen; ``needs`` are pairs of a plugin's name and a specifier."""

    name: str
    version: str
    status: str = "approved"
    needs: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


# Newest first, by plugin. A registered plugin without versions has an empty sequence.
Registry = Mapping[str, Sequence[KnownVersion]]


@dataclass(frozen=True, slots=True)
class Node:
    """A plugin; ``version`` is what was chosen of it, None where ``is_missing``."""

    name: str
    version: str | None
    status: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` needs ``target``; both are names of nodes."""

    source: str
    target: str
    specifier: str
    is_satisfied: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """``name`` cannot be what all of ``requirers`` need; ``message`` says why."""

    name: str
    message: str
    requirers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """``nodes[0]`` is what was asked about."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def is_satisfied(self) -> bool:
        return not self.conflicts


@dataclass(frozen=True, slots=True)
class _Demand:
    by: KnownVersion
    name: str
    specifier: str


Chosen = Mapping[str, KnownVersion | None]


def draw_graph(
    root: KnownVersion, registry: Registry, active: Mapping[str, KnownVersion] | None = None
) -> Graph:
    """Everything below ``root``: of each plugin the newest version that suits all who need it.

    With ``active``, what runs in an environment, nothing is chosen: these versions are judged.
    """
    chosen: Chosen = {root.name: root}
    for attempt in count():
        again = _choose_all(root, list(_demands(root, chosen)), registry, active)
        if attempt >= _FREE_ROUNDS:
            # Two choices may take turns in ruling each other out: from here on the first one holds.
            again = {name: chosen.get(name, found) for name, found in again.items()}
        if again == chosen:
            break
        chosen = again
    demands = list(_demands(root, chosen))
    return Graph(
        nodes=tuple(_node(name, version) for name, version in chosen.items()),
        edges=tuple(_edge(demand, chosen) for demand in demands),
        conflicts=(*_conflicts(demands, chosen, registry, active is not None), *_cycles(demands)),
    )


def is_satisfiable(name: str, specifier: str, registry: Registry) -> bool:
    """Whether some version that is neither rejected nor revoked meets the specifier."""
    return bool(_fitting(name, specifier, registry))


def find_cycle(root: KnownVersion, registry: Registry) -> tuple[str, ...]:
    """``("a", "b", "a")`` when ``root`` of ``a`` cannot do without what needs ``a``; else empty.

    A need that some version meets without coming back is none: that one can be deployed first.
    """
    safe = _deployable_without(root.name, registry)
    for name, specifier in root.needs:
        fitting = _fitting(name, specifier, registry)
        if safe.isdisjoint(fitting):
            way = _way_back(fitting, root.name, registry)
            if way:
                return (root.name, *way, root.name)
    return ()


def _demands(root: KnownVersion, chosen: Chosen) -> Iterator[_Demand]:
    """Who needs what, from the root outwards, through the versions chosen so far."""
    seen, waiting = {root.name}, [root]
    for version in waiting:
        for name, specifier in version.needs:
            yield _Demand(version, name, specifier)
            found = chosen.get(name)
            if name not in seen and found is not None:
                seen.add(name)
                waiting.append(found)


def _choose_all(
    root: KnownVersion,
    demands: Sequence[_Demand],
    registry: Registry,
    active: Mapping[str, KnownVersion] | None,
) -> Chosen:
    wanted: dict[str, list[str]] = {}
    for demand in demands:
        wanted.setdefault(demand.name, []).append(demand.specifier)
    wanted.pop(root.name, None)
    found: dict[str, KnownVersion | None] = {root.name: root}
    for name, specifiers in wanted.items():
        if active is not None:
            found[name] = active.get(name)
        else:
            found[name] = _choose(specifiers, registry.get(name, ()))
    return found


def _choose(specifiers: Sequence[str], versions: Sequence[KnownVersion]) -> KnownVersion | None:
    """The newest that suits the most; approved before draft before yanked."""
    usable = [version for version in versions if version.status not in GONE]
    return min(usable, key=lambda each: _unsuitable(each, specifiers), default=None)


def _unsuitable(version: KnownVersion, specifiers: Sequence[str]) -> tuple[int, int]:
    unmet = sum(not satisfies(version.version, each) for each in specifiers)
    return unmet, _CHOICE[version.status]


def _node(name: str, version: KnownVersion | None) -> Node:
    if version is None:
        return Node(name, None, "", is_missing=True)
    return Node(name, version.version, version.status, is_missing=False)


def _edge(demand: _Demand, chosen: Chosen) -> Edge:
    return Edge(demand.by.name, demand.name, demand.specifier, _is_met(demand, chosen))


def _is_met(demand: _Demand, chosen: Chosen) -> bool:
    found = chosen.get(demand.name)
    return found is not None and satisfies(found.version, demand.specifier)


def _conflicts(
    demands: Sequence[_Demand], chosen: Chosen, registry: Registry, is_judged: bool
) -> Iterator[Conflict]:
    unmet = {demand.name for demand in demands if not _is_met(demand, chosen)}
    ordered = sorted((each for each in demands if each.name in unmet), key=lambda each: each.name)
    for name, group in groupby(ordered, key=lambda each: each.name):
        asking = list(group)
        needs = ", ".join(f"{each.by} needs {name}{each.specifier}" for each in asking)
        why = _why_unmet(name, chosen.get(name), registry, is_judged)
        yield Conflict(name, f"{needs}: {why}.", tuple(str(each.by) for each in asking))


def _why_unmet(name: str, found: KnownVersion | None, registry: Registry, is_judged: bool) -> str:
    if is_judged:
        return f"{found.version} is active" if found else f"{name} is not active"
    if name not in registry:
        return f"{name} is not registered"
    return f"no version of {name} suits" + (" all of them" if found else "; it has none to use")


def _cycles(demands: Sequence[_Demand]) -> Iterator[Conflict]:
    """Where the versions chosen here need each other, whatever was refused at upload."""
    needs: dict[str, list[str]] = {}
    for demand in demands:
        needs.setdefault(demand.by.name, []).append(demand.name)
    done: set[str] = set()
    for start in needs:
        cycle = _follow(start, needs, done)
        if cycle:
            message = f"{' → '.join(cycle)} is a cycle."
            yield Conflict(start, message, tuple(dict.fromkeys(cycle)))
            return


def _follow(start: str, needs: Mapping[str, Sequence[str]], done: set[str]) -> tuple[str, ...]:
    """Depth first, without recursion: a chain may be as long as the registry."""
    path, waiting = [start], [iter(needs.get(start, ()))]
    while waiting:
        name = next(waiting[-1], None)
        if name is None:
            done.add(path.pop())
            waiting.pop()
        elif name in path:
            return (*path[path.index(name) :], name)
        elif name not in done:
            path.append(name)
            waiting.append(iter(needs.get(name, ())))
    return ()


def _fitting(name: str, specifier: str, registry: Registry) -> list[KnownVersion]:
    return [
        version
        for version in registry.get(name, ())
        if version.status not in GONE and satisfies(version.version, specifier)
    ]


def _deployable_without(name: str, registry: Registry) -> set[KnownVersion]:
    """Versions whose needs can all be met, one after the other, while ``name`` is not there."""
    others = [v for each in registry.values() for v in each if v.name != name]
    left = [version for version in others if version.status not in GONE]
    safe: set[KnownVersion] = set()
    while True:
        met = [
            version
            for version in left
            if all(not safe.isdisjoint(_fitting(*need, registry)) for need in version.needs)
        ]
        if not met:
            return safe
        safe.update(met)
        left = [version for version in left if version not in safe]


def _way_back(starts: Sequence[KnownVersion], name: str, registry: Registry) -> tuple[str, ...]:
    """The shortest way along needs from one of ``starts`` to the plugin; empty if there is none."""
    ways: list[tuple[KnownVersion, tuple[str, ...]]] = [(each, (each.name,)) for each in starts]
    seen = set(starts)
    for version, way in ways:
        for needed, specifier in version.needs:
            if needed == name:
                return way
            for each in _fitting(needed, specifier, registry):
                if each not in seen:
                    seen.add(each)
                    ways.append((each, (*way, each.name)))
    return ()
