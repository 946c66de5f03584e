"""Schemas by strangers: bounded, local, linear, and never repeating a tenant's value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.schemas import MAX_PROBLEMS, SchemaError, compile_schema
from plugins.schemas_patterns import pattern_weight

HERE = "methods.quote.input_schema"


def refusal(schema):
    with pytest.raises(SchemaError) as caught:
        compile_schema(schema, HERE)
    ((place, (reason,)),) = caught.value.fields.items()
    return place.removeprefix(HERE).removeprefix("."), reason


def fan_out(levels):
    """2 to the ``levels`` evaluations from a handful of definitions."""
    definitions = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]}
        for n in range(levels)
    }
    return {"$defs": {**definitions, f"a{levels}": {}}, "$ref": "#/$defs/a0"}


def nested(levels, leaf):
    for _ in range(levels):
        leaf = {"not": leaf}
    return leaf


def test_a_valid_value_has_no_problems():
    validator = compile_schema({"type": "object", "properties": {"a": {"type": "integer"}}})
    assert validator.validate({"a": 1}) == []
    assert validator.is_valid({"a": 1})


def test_every_problem_has_its_path():
    schema = {
        "properties": {"lines": {"items": {"properties": {"net": {"type": "string"}}}}},
        "required": ["country"],
        "additionalProperties": False,
    }
    found = dict(compile_schema(schema).validate({"lines": [{"net": "1"}, {"net": 2}], "x": 1}))
    assert found.keys() == {"lines.1.net", ""}


def test_a_message_never_repeats_the_value():
    schema = {"properties": {"a": {"type": "integer"}, "b": {"format": "date"}}}
    problems = compile_schema(schema).validate({"a": "hunter2", "b": "hunter2"})
    assert len(problems) == 2
    assert "hunter2" not in str(problems)


def test_there_are_never_more_than_20_problems():
    problems = compile_schema({"items": {"type": "integer"}}).validate(["x"] * 100)
    assert len(problems) == MAX_PROBLEMS


def test_a_large_value_gets_its_first_problem_only():
    problems = compile_schema({"items": {"type": "integer"}}).validate(["x"] * 100_000)
    assert problems == [("0", 'the value is not of type "integer"')]


def test_formats_are_checked():
    validator = compile_schema({"type": "string", "format": "date"})
    assert validator.is_valid("2025-02-28")
    assert not validator.is_valid("2025-02-30")


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/s",
        "http://127.0.0.1:6379/",
        "file:///etc/passwd",
        "other.json#/a",
        "//evil.example/s",
        "#anchor",
        "https://json-schema.org/draft/2020-12/schema",
        5,
    ],
)
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"$defs": {"unused": s}}])
def test_a_reference_out_of_the_document_is_refused(uri, wrap):
    place, reason = refusal(wrap({"$ref": uri}))
    assert place.endswith("$ref")
    assert "outside" in reason


def test_a_reference_to_nothing_is_refused():
    assert refusal({"$ref": "#/$defs/missing"})[0] == "$ref"
    assert refusal({"prefixItems": [{}], "$ref": "#/prefixItems/7"})[0] == "$ref"


def test_references_inside_the_document_work_also_escaped_ones():
    schema = {"$defs": {"a/b c": {"type": "integer"}}, "$ref": "#/$defs/a~1b%20c"}
    assert not compile_schema(schema).is_valid("x")


@pytest.mark.parametrize("keyword", ["$dynamicRef", "$recursiveRef", "$anchor", "dependencies"])
def test_keywords_that_reach_out_or_belong_to_other_drafts_are_refused(keyword):
    assert refusal({keyword: "https://evil.example/s"})[0] == keyword


def test_another_dialect_or_a_nested_base_address_is_refused():
    assert refusal({"$schema": "http://json-schema.org/draft-07/schema#"})[0] == "$schema"
    assert refusal({"not": {"$id": "https://evil.example/"}})[0] == "not.$id"
    assert compile_schema({"$schema": "https://json-schema.org/draft/2020-12/schema"})


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_a_catastrophic_pattern_runs_in_linear_time(pattern):
    # A backtracking engine would not come back within the life of the universe.
    assert not compile_schema({"pattern": pattern}).is_valid("a" * 50_000 + "!")


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "(", "^.{1,100000}$", r"(\w{1000}){1000}"])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(pattern):
    assert refusal({"properties": {"a": {"pattern": pattern}}})[0] == "properties.a.pattern"


def test_a_pattern_of_properties_is_checked_too():
    with pytest.raises(SchemaError):
        compile_schema({"patternProperties": {"(?=a)b": {}}})
    assert refusal({"patternProperties": {"a" * 1001: {}}})[0] == "pattern"


def test_a_schema_that_is_too_large_is_refused():
    assert "65536 bytes" in refusal({"enum": ["x" * 70_000]})[1]


@pytest.mark.parametrize("levels", [40, 20_000])
def test_a_schema_that_is_too_deep_is_refused(levels):
    assert "deeper" in refusal(nested(levels, {}))[1]


def test_a_schema_with_too_many_subschemas_is_refused():
    assert "1000 subschemas" in refusal({"anyOf": [{}] * 1001})[1]


@pytest.mark.parametrize("levels", [12, 15])
def test_references_that_fan_out_are_refused(levels):
    assert "subschemas" in refusal(fan_out(levels))[1]


def test_a_long_chain_of_references_is_refused():
    assert "in a row" in refusal(fan_out(40))[1]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$ref": "#/%24defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}},
    ],
)
def test_a_reference_that_goes_in_circles_is_refused(schema):
    assert "without going deeper" in refusal(schema)[1]


AGAIN = {"$ref": "#"}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"x": AGAIN}}, {"properties": {"x": AGAIN}}]},
        {"properties": {"x": AGAIN}, "patternProperties": {"^x": AGAIN}},
        {"properties": {"x": AGAIN}, "unevaluatedProperties": AGAIN},
        {"items": AGAIN, "contains": AGAIN},
        {"prefixItems": [AGAIN], "contains": AGAIN},
        {"properties": {"x": AGAIN}, "not": {"properties": {"x": {"properties": {"x": AGAIN}}}}},
    ],
)
def test_a_recursion_that_doubles_at_every_level_is_refused(schema):
    assert "exponential" in refusal(schema)[1]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"left": AGAIN, "right": AGAIN}},
        {"properties": {"x": AGAIN}, "additionalProperties": AGAIN},
        {"prefixItems": [AGAIN], "items": AGAIN},
        {"oneOf": [{"type": "null"}, {"items": AGAIN}, {"additionalProperties": AGAIN}]},
        {
            "$defs": {"node": {"properties": {"children": {"items": {"$ref": "#/$defs/node"}}}}},
            "$ref": "#/$defs/node",
        },
    ],
)
def test_an_honest_recursion_is_accepted(schema):
    assert compile_schema(schema).is_valid({"left": {"right": {}}, "children": []})


def test_a_schema_is_checked_against_the_meta_schema():
    assert refusal({"type": "tabel"})[0] == "type"
    assert refusal({"minLength": -1})[0] == "minLength"
    assert refusal({"properties": {"a": 5}})[0] == "properties.a"


def test_words_of_the_language_may_be_names_and_values():
    schema = {"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "x"}]}
    assert compile_schema(schema).is_valid({"$ref": "x"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**64, "\ud800", object(), {1: 2}])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(SchemaError):
        compile_schema({"const": value})


def test_a_boolean_is_a_schema():
    assert compile_schema(True).is_valid(1)
    assert not compile_schema(False).is_valid(1)


KEYWORDS = st.sampled_from(
    [
        "$ref",
        "allOf",
        "items",
        "properties",
        "pattern",
        "$defs",
        "type",
        "if",
        "prefixItems",
        "const",
    ]
)
VALUES = st.recursive(
    st.sampled_from(["#", "#/$defs/a", "object", "x", 1, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, VALUES, max_size=4), VALUES)
def test_any_schema_is_compiled_or_refused_and_any_value_judged(schema, value):
    try:
        validator = compile_schema(schema)
    except SchemaError as error:
        assert error.fields
    else:
        assert validator.is_valid(value) == (validator.validate(value) == [])


@pytest.mark.parametrize(
    ("pattern", "weight"),
    [
        ("a", 1),
        ("^[A-Z]{2}[0-9A-Z]{2,30}$", 34),
        ("(?:(?:a|bc){10}){10}", 300),
        ("(?P<x>ab){3,}", 8),
        (r"\[\]{5}", 6),
        ("a{10000}", 10_000),
        ("(?x)(ab) {100}", 200),
        (r"\p{L}{1,10}", 2_000),
        ("((", 1),
    ],
)
def test_a_pattern_weighs_as_much_as_its_repetitions_written_out(pattern, weight):
    assert weight <= pattern_weight(pattern) <= weight + 4


def test_a_text_beyond_what_its_patterns_can_take_is_refused_unread():
    """The engine would be busy for minutes."""
    validator = compile_schema(
        {"items": {"pattern": "(?:a|b)*a(?:(?:a|b){100}){100}c"}, "properties": {"a": {}}}
    )
    long = "ab" * 200_000
    for value in ([long], [["x", {"k": [long]}]], {long: 1}):
        assert not validator.is_valid(value)
        ((path, message),) = validator.validate(value)
        assert (path, "more text than" in message) == ("", True)
    assert validator.is_valid(["a" * 102 + "c", {"k": 1}]) is False
    assert validator.is_valid([1, {"k": 1}])


def test_a_long_text_is_read_where_no_pattern_is():
    assert compile_schema({"type": "string"}).is_valid("x" * 4_000_000)
