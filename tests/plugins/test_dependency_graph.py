"""One version for each plugin: chosen, judged, and refused where plugins need each other."""

from hypothesis import given
from hypothesis import strategies as st

from plugins.dependency_graph import (
    Edge,
    KnownVersion,
    Node,
    draw_graph,
    find_cycle,
    is_satisfiable,
)


def known(name, version, *needs, status="approved"):
    pairs = tuple((text.partition(" ")[0], text.partition(" ")[2]) for text in needs)
    return KnownVersion(name, version, status, pairs)


def registry(*versions):
    """In the order given, which is newest first."""
    found = {}
    for version in versions:
        found.setdefault(version.name, []).append(version)
    return found


def chosen(graph):
    return {node.name: node.version for node in graph.nodes}


def test_the_newest_that_suits_everybody_is_chosen():
    root = known("shop", "1.0.0", "currency >=1", "tax >=1")
    rows = registry(
        known("currency", "3.0.0"),
        known("currency", "2.0.0"),
        known("currency", "1.0.0"),
        known("tax", "1.0.0", "currency <3"),
    )

    graph = draw_graph(root, rows)

    assert chosen(graph) == {"shop": "1.0.0", "currency": "2.0.0", "tax": "1.0.0"}
    assert graph.is_satisfied
    assert Edge("tax", "currency", "<3", is_satisfied=True) in graph.edges
    assert len(graph.edges) == 3


def test_a_conflict_names_both_who_ask():
    root = known("shop", "1.0.0", "currency >=2", "tax ")
    rows = registry(
        known("currency", "2.0.0"), known("currency", "1.0.0"), known("tax", "1.0.0", "currency <2")
    )

    (conflict,) = draw_graph(root, rows).conflicts

    assert (conflict.name, conflict.requirers) == ("currency", ("shop 1.0.0", "tax 1.0.0"))
    assert conflict.message == (
        "shop 1.0.0 needs currency>=2, tax 1.0.0 needs currency<2: "
        "no version of currency suits all of them."
    )


def test_what_is_not_there_is_missing():
    root = known("shop", "1.0.0", "currency >=2", "tax ")

    graph = draw_graph(root, {"currency": []})

    assert graph.nodes[1:] == (Node("currency", None, "", True), Node("tax", None, "", True))
    assert [each.message for each in graph.conflicts] == [
        "shop 1.0.0 needs currency>=2: no version of currency suits; it has none to use.",
        "shop 1.0.0 needs tax: tax is not registered.",
    ]


def test_an_approved_version_is_chosen_before_a_newer_draft_and_a_yanked_one_last():
    root = known("shop", "1.0.0", "currency ")
    rows = [
        known("currency", "4.0.0", status="revoked"),
        known("currency", "3.0.0", status="yanked"),
        known("currency", "2.0.0", status="draft"),
        known("currency", "1.0.0", status="deprecated"),
    ]

    assert chosen(draw_graph(root, registry(*rows)))["currency"] == "1.0.0"
    assert chosen(draw_graph(root, registry(*rows[:3])))["currency"] == "2.0.0"
    assert chosen(draw_graph(root, registry(*rows[:2])))["currency"] == "3.0.0"
    assert chosen(draw_graph(root, registry(*rows[:1])))["currency"] is None


def test_what_is_active_is_judged_and_not_chosen():
    root = known("shop", "1.0.0", "currency >=2", "tax ")
    rows = registry(known("currency", "2.0.0"), known("tax", "1.0.0"))

    graph = draw_graph(root, rows, {"currency": known("currency", "1.0.0")})

    assert chosen(graph) == {"shop": "1.0.0", "currency": "1.0.0", "tax": None}
    assert [each.message for each in graph.conflicts] == [
        "shop 1.0.0 needs currency>=2: 1.0.0 is active.",
        "shop 1.0.0 needs tax: tax is not active.",
    ]


def test_a_cycle_is_named_by_its_shortest_way():
    a = known("a", "1.0.0", "b ")
    rows = registry(known("b", "1.0.0", "c "), known("c", "1.0.0", "a "))

    assert find_cycle(a, rows) == ("a", "b", "c", "a")
    assert "a → b → c → a is a cycle." in draw_graph(a, rows).conflicts[0].message
    assert find_cycle(known("a", "1.0.0", "a "), {}) == ()


def test_it_is_no_cycle_where_a_version_can_do_without():
    a = known("a", "2.0.0", "b ")
    old, new = known("b", "1.0.0", "a "), known("b", "2.0.0")

    assert find_cycle(a, registry(new, old)) == ()
    assert find_cycle(known("a", "2.0.0", "b <2"), registry(new, old)) == ("a", "b", "a")
    assert find_cycle(a, registry(known("b", "2.0.0", status="revoked"), old)) == ("a", "b", "a")


def test_a_revoked_version_satisfies_nothing():
    rows = registry(known("b", "1.0.0", status="revoked"), known("b", "0.9.0", status="yanked"))

    assert is_satisfiable("b", "", rows)
    assert not is_satisfiable("b", ">=1", rows)


NAMES = st.sampled_from("abcdef")
VERSIONS = st.sampled_from(["1.0.0", "2.0.0", "3.0.0"])
NEEDS = st.lists(
    st.tuples(NAMES, st.sampled_from(["", ">=2", "<2", "==1.0.0"])),
    max_size=3,
    unique_by=lambda need: need[0],
).map(tuple)
KNOWN = st.builds(KnownVersion, NAMES, VERSIONS, st.sampled_from(["approved", "draft"]), NEEDS)


@given(st.lists(KNOWN, min_size=1, max_size=12, unique_by=lambda each: (each.name, each.version)))
def test_any_graph_is_drawn_and_says_of_each_edge_whether_it_holds(versions):
    root, rows = versions[0], registry(*sorted(versions, key=lambda v: v.version, reverse=True))

    graph = draw_graph(root, rows)

    names = [node.name for node in graph.nodes]
    assert len(names) == len(set(names))
    assert names[0] == root.name
    assert {edge.target for edge in graph.edges} <= set(names)
    assert graph.is_satisfied <= all(edge.is_satisfied for edge in graph.edges)
    cycle = find_cycle(root, rows)
    if cycle:
        assert cycle[0] == cycle[-1] == root.name


@given(st.lists(KNOWN, max_size=14, unique_by=lambda each: (each.name, each.version)))
def test_uploads_that_make_no_cycle_leave_a_registry_that_can_be_deployed(versions):
    """Each is taken as an upload would be; afterwards all can be deployed one after the other."""
    rows = {}
    for version in versions:
        known_needs = all(is_satisfiable(*need, rows) for need in version.needs)
        if known_needs and not find_cycle(version, rows):
            rows.setdefault(version.name, []).append(version)

    left, deployed = [each for versions in rows.values() for each in versions], []
    while left:
        able = [each for each in left if all(_met(need, deployed) for need in each.needs)]
        assert able, f"nothing of {left} can be deployed after {deployed}"
        deployed += able
        left = [each for each in left if each not in able]


def _met(need, deployed):
    rows = registry(*deployed)
    return is_satisfiable(*need, rows)
