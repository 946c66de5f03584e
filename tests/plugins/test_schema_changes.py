"""What one schema takes and another refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.schema_changes import find_new_output, find_refused
from plugins.schemas import compile_schema


def said(before, after, find=find_refused):
    return [f"{each.path} {each.message}".strip() for each in find(before, after)]


TIGHTER = [
    ({"type": "number"}, {"type": "integer"}, 'type is now "integer" (was "number")'),
    ({}, {"type": "string"}, 'type is now "string"'),
    ({"enum": [1, 2]}, {"enum": [1]}, "enum is now [1] (was [1,2])"),
    ({"type": "string"}, {"const": "a"}, 'const is now "a"'),
    ({"maximum": 10}, {"maximum": 9}, "maximum is now 9 (was 10)"),
    ({}, {"exclusiveMinimum": 0}, "exclusiveMinimum is now 0"),
    ({"minLength": 1}, {"minLength": 2}, "minLength is now 2 (was 1)"),
    ({"maxItems": 5}, {"maxItems": 4}, "maxItems is now 4 (was 5)"),
    ({"multipleOf": 2}, {"multipleOf": 3}, "multipleOf is now 3 (was 2)"),
    ({}, {"pattern": "^a"}, 'pattern is now "^a"'),
    ({}, {"uniqueItems": True}, "uniqueItems is now true"),
    ({"anyOf": [{}]}, {"anyOf": [{"type": "null"}]}, 'anyOf is now [{"type":"null"}] (was [{}])'),
    ({"items": {"type": "integer"}}, {"items": {"type": "null"}}, "[] type is now"),
    ({}, {"additionalProperties": False}, "other properties are no longer taken"),
    (True, False, "nothing is allowed here any more"),
    (
        {"properties": {"a": {"properties": {"b": {"maxLength": 9}}}}},
        {"properties": {"a": {"properties": {"b": {"maxLength": 8}}}}},
        "a.b maxLength is now 8 (was 9)",
    ),
    (
        {"$ref": "#/$defs/x", "$defs": {"x": {"maximum": 2}}},
        {"$ref": "#/$defs/x", "$defs": {"x": {"maximum": 1}}},
        "maximum is now 1 (was 2)",
    ),
    (
        {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"maximum": 2}}},
        {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"maximum": 1}}},
        "what allOf refers to may have changed",
    ),
]


@pytest.mark.parametrize(("before", "after", "message"), TIGHTER)
def test_what_is_tighter_is_said_and_the_other_way_round_is_not(before, after, message):
    (found,) = said(before, after)

    assert found.startswith(message)
    if "allOf" not in message and "anyOf" not in message and "multipleOf" not in message:
        assert said(after, before) == [] or message.startswith("[] type")


def test_words_for_people_change_nothing():
    before = {"title": "A", "description": "b", "default": 1, "examples": [1]}

    assert said(before, {"title": "B"}) == said({}, before) == []


def test_a_result_breaks_where_it_may_be_more_than_before():
    old = {
        "type": "object",
        "properties": {"total": {"type": "integer", "maximum": 10}, "note": {"type": "string"}},
        "required": ["total"],
    }
    new = {"type": "object", "properties": {"total": {"type": "integer", "maximum": 20}}}

    assert said(old, new, find_new_output) == [
        "total is not always given any more",
        "note is gone",
        "total maximum is now 20 (was 10)",
    ]
    assert said(new, {**old, "required": ["total", "note"]}, find_new_output) == []


def test_a_schema_that_refers_to_itself_is_compared_once():
    tree = {"properties": {"next": {"$ref": "#"}}, "type": "object"}

    assert said(tree, {**tree, "required": ["next"]}) == [
        "next is now required",
        "next.next is now required",
    ]


LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["integer", "number", "string", ["integer", "string"]]),
        "enum": st.lists(st.sampled_from([0, 1, 5, "a", "ab"]), min_size=1, unique=True),
        "minimum": st.integers(0, 5),
        "maximum": st.integers(0, 5),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
    },
)
OBJECTS = st.builds(
    lambda a, b, required: {
        "type": "object",
        "properties": {"a": a, "b": {"type": "array", "items": b}},
        "required": required,
        "additionalProperties": False,
    },
    LEAVES,
    LEAVES,
    st.lists(st.sampled_from(["a", "b"]), unique=True),
)
SCALARS = st.sampled_from([0, 1, 2, 3, 4, 5, 1.5, "", "a", "ab", "abc", None])
VALUES = st.fixed_dictionaries({}, optional={"a": SCALARS, "b": st.lists(SCALARS, max_size=2)})


@given(OBJECTS, OBJECTS, st.lists(VALUES, max_size=20))
def test_where_nothing_is_said_every_value_of_before_is_still_taken(before, after, values):
    old, new = compile_schema(before), compile_schema(after)

    refused = [each for each in values if old.is_valid(each) and not new.is_valid(each)]

    if refused:
        assert find_refused(before, after)
        assert find_new_output(after, before)


@given(OBJECTS)
def test_nothing_changes_between_a_schema_and_itself(schema):
    assert find_refused(schema, schema) == find_new_output(schema, schema) == []
