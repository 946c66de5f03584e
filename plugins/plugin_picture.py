"""A plugin among those that it needs and those that need it, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from plugins.dependencies import Dependent, Graph, breaks, dependency_graph, dependents_of
from plugins.dependency_picture import Box, Line, Picture, draw_picture
from plugins.models import Plugin

DEPENDENTS_SHOWN = 12
_READ_FIRST = (">", "~", "=", "!", "<")


@dataclass(frozen=True, slots=True)
class PluginPicture:
    """``hidden`` counts the plugins that need it and found no room."""

    picture: Picture
    conflicts: tuple[str, ...]
    hidden: int


def picture_of(plugin: Plugin) -> PluginPicture | None:
    """None where it needs no other plugin and none needs it."""
    graph = dependency_graph(plugin)
    dependents = _newest_each(dependents_of(plugin))
    if not graph.edges and not dependents:
        return None
    shown = dependents[:DEPENDENTS_SHOWN]
    boxes, lines = _below(plugin, graph), _lines(graph)
    known = {box.name for box in boxes}
    above = [Box(each.plugin, each.version) for each in shown if each.plugin not in known]
    version = graph.nodes[0].version if graph.nodes else None
    drawn = draw_picture([*boxes, *above], [*lines, *_needing(plugin, shown, version)])
    conflicts = tuple(each.message for each in graph.conflicts)
    return PluginPicture(drawn, conflicts, len(dependents) - len(shown))


def specifier_words(specifier: str) -> str:
    """As people write it, from the lower bound to the upper: ``>=1.5,<2``."""
    parts = [str(each) for each in SpecifierSet(specifier)]
    return ",".join(sorted(parts, key=lambda part: (_READ_FIRST.index(part[0]), part)))


def _newest_each(dependents: Sequence[Dependent]) -> list[Dependent]:
    """They come newest first, plugin by plugin."""
    return list({each.plugin: each for each in reversed(dependents)}.values())[::-1]


def _below(plugin: Plugin, graph: Graph) -> list[Box]:
    boxes = [
        Box(
            node.name,
            "not there" if node.is_missing else _note(node.version or "", node.status),
            "self" if node.name == plugin.name else "missing" if node.is_missing else "plain",
        )
        for node in graph.nodes
    ]
    return boxes or [Box(plugin.name, "no version", "self")]


def _note(version: str, status: str) -> str:
    return version if status == "approved" else f"{version} {status}"


def _lines(graph: Graph) -> list[Line]:
    return [
        Line(edge.source, edge.target, specifier_words(edge.specifier), edge.is_satisfied)
        for edge in graph.edges
    ]


def _needing(plugin: Plugin, dependents: Sequence[Dependent], version: str | None) -> list[Line]:
    unmet = set(breaks(dependents, version)) if version else set(dependents)
    return [
        Line(each.plugin, plugin.name, specifier_words(each.specifier), each not in unmet)
        for each in dependents
    ]
