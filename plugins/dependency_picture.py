"""Where the boxes and lines of a dependency graph go. Pure: plain values in, coordinates out.

Layers from left to right, whoever needs something left of what it needs. A line over several
layers gets a lane of its own between the boxes (Sugiyama's method, with barycentres).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

BOX_HEIGHT, LANE_HEIGHT, GAP, MARGIN = 50, 14, 18, 8
CHARACTER, LABEL_CHARACTER = 8.2, 6.6  # widest average of the pages' fonts, in pixels
MIN_BOX, MAX_BOX_CHARACTERS, MAX_LABEL_CHARACTERS = 104, 30, 22
SWEEPS = 4

Slot = tuple[str, ...]  # (name,) for a box, (source, target, layer) for a lane


@dataclass(frozen=True, slots=True)
class Box:
    """``tone``: self, plain, or missing where no such plugin or version is there."""

    name: str
    note: str = ""
    tone: str = "plain"
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = BOX_HEIGHT

    @property
    def shown(self) -> str:
        return shorten(self.name, MAX_BOX_CHARACTERS)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def name_y(self) -> float:
        """The base line of the name, which leaves room for a note beneath it."""
        return self.y + self.height / 2 + (-2 if self.note else 5)

    @property
    def note_y(self) -> float:
        return self.y + self.height / 2 + 16


@dataclass(frozen=True, slots=True)
class Line:
    """``source`` needs ``target``; ``path`` is an SVG path, its label stands at (x, y)."""

    source: str
    target: str
    label: str = ""
    is_met: bool = True
    path: str = ""
    x: float = 0
    y: float = 0

    @property
    def shown(self) -> str:
        return shorten(self.label, MAX_LABEL_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Picture:
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw_picture(boxes: Sequence[Box], lines: Sequence[Line]) -> Picture:
    """Give every box and line its place. Lines to unknown boxes are left out; cycles are drawn."""
    known = {box.name for box in boxes}
    drawn = [each for each in lines if each.source in known and each.target in known]
    layer_of = find_layers([box.name for box in boxes], drawn)
    layers = _order(_slots(layer_of, drawn), _chains(layer_of, drawn))
    widths = [_layer_width(layer, boxes) for layer in layers]
    lefts = _lefts(widths, _label_width(drawn))
    placed = _place(boxes, layers, lefts, widths)
    height = max((box.y + box.height for box in placed.values()), default=0) + MARGIN
    centres = _centres(layers)
    return Picture(
        width=lefts[-1] + widths[-1] + MARGIN if widths else 0,
        height=max([height, *(_bottom(layer) for layer in layers)]),
        boxes=tuple(placed.values()),
        lines=tuple(_route(each, placed, layer_of, lefts, widths, centres) for each in drawn),
    )


def shorten(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def find_layers(names: Sequence[str], lines: Iterable[Line]) -> dict[str, int]:
    """The longest way from a box that nothing needs; a line that closes a cycle does not count."""
    users: Mapping[str, list[str]] = defaultdict(list)
    for line in lines:
        users[line.target].append(line.source)
    found: dict[str, int] = {}
    open_names: set[str] = set()

    def layer(name: str) -> int:
        if name in found:
            return found[name]
        open_names.add(name)
        above = [layer(user) + 1 for user in users[name] if user not in open_names]
        open_names.discard(name)
        found[name] = max(above, default=0)
        return found[name]

    for name in names:
        layer(name)
    return found


def _chain(layer_of: Mapping[str, int], line: Line) -> list[Slot]:
    """The slots that a line passes, from left to right."""
    first, last = sorted((line.source, line.target), key=layer_of.__getitem__)
    between = range(layer_of[first] + 1, layer_of[last])
    lanes = [(line.source, line.target, str(number)) for number in between]
    return [(first,), *lanes, (last,)]


def _chains(layer_of: Mapping[str, int], lines: Iterable[Line]) -> list[list[Slot]]:
    return [_chain(layer_of, line) for line in lines]


def _slots(layer_of: Mapping[str, int], lines: Iterable[Line]) -> list[list[Slot]]:
    layers: list[list[Slot]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name, number in layer_of.items():
        layers[number].append((name,))
    for line in lines:
        for slot in _chain(layer_of, line)[1:-1]:
            layers[int(slot[2])].append(slot)
    return layers


def _order(layers: list[list[Slot]], chains: Iterable[list[Slot]]) -> list[list[Slot]]:
    """Each slot near the middle of its neighbours: few lines cross then."""
    neighbours: Mapping[Slot, list[Slot]] = defaultdict(list)
    for chain in chains:
        for left, right in pairwise(chain):
            neighbours[left].append(right)
            neighbours[right].append(left)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            heights = _centres(layers)
            layer.sort(key=lambda slot: (_mean(heights, neighbours[slot], heights[slot]), slot))
    return layers


def _mean(heights: Mapping[Slot, float], slots: Sequence[Slot], own: float) -> float:
    return sum(heights[slot] for slot in slots) / len(slots) if slots else own


def _centres(layers: Sequence[Sequence[Slot]]) -> dict[Slot, float]:
    """The height of each slot's middle; shorter layers are centred beside the tallest."""
    tallest = max((_bottom(layer) for layer in layers), default=0)
    found: dict[Slot, float] = {}
    for layer in layers:
        top = MARGIN + (tallest - _bottom(layer)) / 2
        for slot in layer:
            height = _height(slot)
            found[slot] = top + height / 2
            top += height + GAP
    return found


def _height(slot: Slot) -> int:
    return BOX_HEIGHT if len(slot) == 1 else LANE_HEIGHT


def _bottom(layer: Sequence[Slot]) -> float:
    return sum(_height(slot) for slot in layer) + GAP * max(len(layer) - 1, 0) + 2 * MARGIN


def _layer_width(layer: Sequence[Slot], boxes: Sequence[Box]) -> float:
    texts = [text for box in boxes if (box.name,) in layer for text in (box.shown, box.note)]
    longest = max((len(text) for text in texts), default=0)
    return max(MIN_BOX, round(longest * CHARACTER) + 28)


def _label_width(lines: Iterable[Line]) -> float:
    longest = max((len(line.shown) for line in lines), default=0)
    return max(56, round(longest * LABEL_CHARACTER) + 30)


def _lefts(widths: Sequence[float], between: float) -> list[float]:
    lefts: list[float] = []
    left: float = MARGIN
    for width in widths:
        lefts.append(left)
        left += width + between
    return lefts


def _place(
    boxes: Sequence[Box],
    layers: Sequence[Sequence[Slot]],
    lefts: Sequence[float],
    widths: Sequence[float],
) -> dict[str, Box]:
    centres = _centres(layers)
    at = {slot[0]: number for number, layer in enumerate(layers) for slot in layer if len(slot) < 2}
    return {
        box.name: replace(
            box,
            x=lefts[at[box.name]],
            y=centres[(box.name,)] - BOX_HEIGHT / 2,
            width=widths[at[box.name]],
        )
        for box in boxes
    }


def _route(
    line: Line,
    placed: Mapping[str, Box],
    layer_of: Mapping[str, int],
    lefts: Sequence[float],
    widths: Sequence[float],
    centres: Mapping[Slot, float],
) -> Line:
    """A curve from the right of one box through its lanes to the left of the other."""
    if layer_of[line.source] >= layer_of[line.target]:
        return _route_back(line, placed)
    points = [(placed[line.source].x + placed[line.source].width, centres[(line.source,)])]
    for slot in _chain(layer_of, line)[1:-1]:
        number = int(slot[2])
        points += [
            (lefts[number], centres[slot]),
            (lefts[number] + widths[number], centres[slot]),
        ]
    points.append((placed[line.target].x, centres[(line.target,)]))
    (x1, y1), (x2, y2) = points[-2:]
    return replace(line, path=_curve(points), x=(x1 + x2) / 2, y=(y1 + y2) / 2 - 5)


def _route_back(line: Line, placed: Mapping[str, Box]) -> Line:
    """What closes a cycle bends beneath the boxes."""
    source, target = placed[line.source], placed[line.target]
    y1, y2 = source.y + source.height, target.y + target.height
    low = max(y1, y2) + GAP
    path = f"M{source.middle:.0f} {y1:.0f}C{source.middle:.0f} {low:.0f} "
    path += f"{target.middle:.0f} {low:.0f} {target.middle:.0f} {y2:.0f}"
    return replace(line, path=path, x=(source.middle + target.middle) / 2, y=low)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    parts = [f"M{x:.0f} {y:.0f}"]
    for next_x, next_y in rest:
        half = (x + next_x) / 2
        parts.append(f"C{half:.0f} {y:.0f} {half:.0f} {next_y:.0f} {next_x:.0f} {next_y:.0f}")
        x, y = next_x, next_y
    return "".join(parts)
