from hypothesis import given
from hypothesis import strategies as st

from plugins.dependency_picture import Box, Line, draw_picture, find_layers

NAMES = [f"plugin-{letter}" for letter in "abcdefgh"]
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))
lines = st.lists(pairs, max_size=20, unique=True)


def picture(*pairs, names=None):
    known = names or sorted({name for pair in pairs for name in pair})
    return draw_picture([Box(name) for name in known], [Line(*pair, ">=1") for pair in pairs])


def overlap(one, other):
    apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
    apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (apart_x or apart_y)


def test_whoever_needs_something_stands_left_of_it():
    drawn = picture(("tax", "currency"), ("currency", "rates"))
    places = {box.name: box.x for box in drawn.boxes}
    assert places["tax"] < places["currency"] < places["rates"]


def test_a_shortcut_takes_a_lane_around_the_box_between():
    drawn = picture(("tax", "currency"), ("currency", "rates"), ("tax", "rates"))
    shortcut = next(each for each in drawn.lines if each.target == "rates" and each.source == "tax")
    between = next(box for box in drawn.boxes if box.name == "currency")
    assert shortcut.path.count("C") == 3
    passes_at = float(shortcut.path.split("C")[1].split()[-1])
    assert not between.y < passes_at < between.y + between.height


def test_nothing_is_an_empty_picture():
    assert draw_picture([], []).boxes == ()


def test_a_line_to_nowhere_is_left_out():
    assert draw_picture([Box("tax")], [Line("tax", "ghost")]).lines == ()


def test_a_long_name_is_cut_where_it_is_shown():
    box = picture(names=["a" * 60]).boxes[0]
    assert len(box.shown) == 30
    assert box.shown.endswith("…")
    assert box.name == "a" * 60


def test_a_cycle_is_drawn_and_does_not_hang():
    drawn = picture(("a", "b"), ("b", "a"), ("b", "b"))
    assert len(drawn.lines) == 3


@given(lines)
def test_boxes_never_overlap_and_stay_inside(pairs):
    drawn = picture(*pairs, names=NAMES)
    boxes = drawn.boxes
    assert not any(overlap(one, other) for one in boxes for other in boxes if one is not other)
    assert all(box.x + box.width <= drawn.width for box in boxes)
    assert all(box.y + box.height <= drawn.height for box in boxes)
    assert all(line.path for line in drawn.lines)


@given(lines)
def test_layers_agree_with_every_line_of_a_graph_without_cycles(pairs):
    acyclic = [Line(*sorted(pair)) for pair in pairs if pair[0] != pair[1]]
    layers = find_layers(NAMES, acyclic)
    assert all(layers[line.source] < layers[line.target] for line in acyclic)
