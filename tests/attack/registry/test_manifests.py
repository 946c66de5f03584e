"""Manifests that would keep a reader busy, or mean more than they say (P17)."""

import random

import pytest

from tests.artifacts import SOURCE, manifest_data, manifest_text, plugin_zip, zip_bytes
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db


def manifest(text):
    return zip_bytes({"hotswap.toml": text, "echo.py": SOURCE}, compression=0)


def toml(text, *says):
    return Attack(manifest(text), "invalid_manifest", says)


GOOD = manifest_text()
KEYS = "".join(f"key{number} = 1\n" for number in range(15_000))
TOML_BOMBS = {
    "is nested ten thousand deep": toml(f"a = {'[' * 10_000}{']' * 10_000}", "nested deeper"),
    "is nested ten thousand tables deep": toml(
        f"a = {'{b=' * 10_000}1{'}' * 10_000}", "nested deeper"
    ),
    "opens ten thousand brackets and closes none": toml(f"a = {'[' * 10_000}", "nested deeper"),
    "has a key of a hundred thousand parts": toml(f"{'a.' * 100_000}a = 1", "dotted key", "16"),
    "has a table of a hundred thousand parts": toml(f"[{'a.' * 100_000}a]", "dotted key", "16"),
    "has thousands of unending texts": toml('"""x"\\' * 40_000, "line 1", "does not end"),
    "has an unending literal": toml("a = '''" + "x" * 200_000, "line 1", "does not end"),
    "has an unending string": toml(GOOD + 'b = "' + "x" * 200_000, "does not end"),
    "has a number of a hundred thousand digits": toml(f"a = {'9' * 100_000}", "1000 digits"),
    "has a negative number of as many": toml(f"{GOOD}a = -{'9' * 100_000}", "is not TOML"),
    "has a hexadecimal number of as many": toml(f"a = 0x{'f' * 100_000}", "1000 digits"),
    "has 15,000 unknown keys": toml(GOOD + KEYS, "key0 is not a known key"),
    "has 60,000 tables of the same name": toml(GOOD + "[[b]]\n" * 40_000, "b is not a known key"),
    "says a key twice": toml(GOOD + 'name = "other"\n', "is not TOML", "overwrite"),
    "has a byte order mark": toml("\ufeff" + GOOD, "is not TOML"),
    "has a NUL": toml(GOOD + "\0", "is not TOML"),
    "is a NUL's escape": toml(GOOD + 'author = "\\u0000"\n', "author", "printable"),
    "has half a surrogate pair": toml(GOOD + 'author = "\\ud800"\n', "is not TOML"),
    "is no UTF-8": Attack(
        manifest(b'name = "\xff"'), "no_manifest", ("hotswap.toml", "save it as UTF-8")
    ),
    "is larger than 256 KiB": Attack(
        manifest("#" * (256 * 1024 + 1)), "manifest_too_large", ("hotswap.toml", "shorten")
    ),
    "is empty": toml("", "schema_version must be 1"),
    "is of another age": toml(
        GOOD.replace("schema_version = 1", "schema_version = 2"), "must be 1"
    ),
    "has a date for a version": toml(
        GOOD.replace('version = "1.0.0"', "version = 2026-01-01"), "version must be a string"
    ),
    "has infinite memory": toml(
        GOOD + "resources = {memory_mb = inf}\n", "resources.memory_mb", "from 32 to 4096"
    ),
    "has a date in a schema": toml(
        GOOD + "config.schema.const = 2026-01-01\n", "config.schema.const", "is a date"
    ),
    "has infinity in a schema": toml(
        GOOD + "config.schema.maximum = inf\n", "config.schema.maximum", "not a finite number"
    ),
    "has no number for its seconds": toml(
        GOOD + "resources = {cpu_seconds = nan}\n", "resources.cpu_seconds", "from 0.1 to 300"
    ),
}


@pytest.mark.parametrize(**table(TOML_BOMBS))
def test_a_manifest_is_refused_that(refused, attack):
    """P17"""
    refused(attack)


def taking(schema, *says, where="methods.echo.input_schema"):
    methods = {"echo": {"input_schema": schema}}
    return Attack(plugin_zip(methods=methods), "invalid_manifest", (where, *says))


def pattern(text, *says):
    return taking({"properties": {"a": {"pattern": text}}}, *(says or ("linear-time engine",)))


def circle(*names):
    following = [*names[1:], names[0]]
    definitions = {
        name: {"$ref": f"#/$defs/{other}"} for name, other in zip(names, following, strict=True)
    }
    return {"$defs": definitions, "$ref": f"#/$defs/{names[0]}"}


def fan_out(levels):
    """2 to the ``levels`` evaluations from a handful of definitions."""
    definitions = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]}
        for n in range(levels)
    }
    return {"$defs": {**definitions, f"a{levels}": {}}, "$ref": "#/$defs/a0"}


def deep(levels):
    schema = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


TWICE = {"items": {"$ref": "#"}, "contains": {"$ref": "#"}}
SCHEMA_BOMBS = {
    "refers to itself": taking({"$ref": "#"}, "refers to itself"),
    "goes round in a circle of two": taking(circle("a", "b"), "refers to itself"),
    "goes round in a long circle": taking(
        circle(*(f"a{n}" for n in range(16))), "refers to itself"
    ),
    "goes round through an alternative": taking({"anyOf": [{"$ref": "#"}]}, "refers to itself"),
    "goes round through a negation": taking({"not": {"$ref": "#"}}, "refers to itself"),
    "doubles thirty times": taking(fan_out(14), "1000 subschemas"),
    "follows forty references in a row": taking(
        {
            "$defs": {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(40)} | {"a40": {}},
            "$ref": "#/$defs/a0",
        },
        "references in a row",
    ),
    "recurses twice into each item": taking(TWICE, "exponential time"),
    "is nested ninety deep": taking(deep(90), "nested deeper", where="hotswap.toml"),
    "is nested within TOML's bounds but too deep": taking(deep(34), "nested deeper"),
    "has two thousand subschemas": taking(
        {"properties": {f"p{n}": {} for n in range(2_000)}}, "1000 subschemas"
    ),
    "is larger than 64 KiB": taking(
        {"description": random.Random(5).randbytes(35_000).hex()}, "larger than 65536"
    ),
    "reaches over HTTP": taking({"$ref": "https://example.com/a.json"}, "outside the schema"),
    "reaches for the machine's metadata": taking(
        {"properties": {"a": {"$ref": "http://169.254.169.254/latest/meta-data"}}},
        "outside the schema",
    ),
    "reaches for a file": taking({"$ref": "file:///etc/passwd"}, "outside the schema"),
    "reaches for a file beside it": taking({"$ref": "other.json"}, "outside the schema"),
    "reaches out from a definition that nobody uses": taking(
        {"$defs": {"a": {"$ref": "file:///etc/passwd"}}}, "outside the schema"
    ),
    "refers to nothing": taking({"$ref": "#/$defs/none"}, "points to nothing"),
    "changes its address below": taking(
        {"properties": {"a": {"$id": "https://example.com/", "$ref": "#"}}}, "$id"
    ),
    "is of a dialect of its own": taking({"$schema": "https://example.com/draft"}, "must be"),
    "refers to whatever is there at the time": taking({"$dynamicRef": "#a"}, "use $ref"),
    "is no schema": taking({"type": "thing"}, "input_schema.type"),
    "has a number beyond 64 bits": taking({"maxLength": 2**70}, "beyond 64 bits"),
    "has a NUL": taking({"description": "a\0b"}, "has a NUL character"),
    "has a NUL in a key": taking({"properties": {"a\0b": {}}}, "has a NUL character"),
    "has a number for a schema": taking({"properties": {"a": 1}}, "must be a schema"),
    "recurses in a hundred and one places": taking(
        {"properties": {f"p{n}": {"$ref": "#"} for n in range(101)}}, "more than 100 places"
    ),
    "has a pattern that looks back": pattern(r"^(a+)+\1$"),
    "has a pattern that looks ahead": pattern(r"^(?=(a+)+$)a"),
    "has a pattern that looks behind": pattern(r"(?<=(a+)+)b"),
    "has a pattern of a million repetitions": pattern("(?:(?:a{1000}){1000}){1000}"),
    "has a pattern of categories without end": pattern(r"(?:\p{L}{100}){100}"),
    "has a pattern of two thousand characters": pattern("a" * 2_000, "1000 characters"),
    "has a pattern that is none": pattern("(("),
    "has such a pattern for its keys": taking(
        {"patternProperties": {r"(a+)+\1": {}}}, "linear-time engine"
    ),
}


@pytest.mark.parametrize(**table(SCHEMA_BOMBS))
def test_a_method_is_refused_whose_schema(refused, attack):
    """P17"""
    refused(attack)


@pytest.mark.parametrize("place", ["config", "output_schema", "expect"])
def test_every_schema_of_a_manifest_is_judged(refused, place):
    """P17: not only what a method takes."""
    bomb, good = {"$ref": "#"}, manifest_data()["methods"]["echo"]
    changes = {
        "config": {"config": {"schema": bomb}},
        "output_schema": {"methods": {"echo": {**good, "output_schema": bomb}}},
        "expect": {"methods": {"echo": {**good, "examples": [{"expect": bomb}]}}},
    }

    refused(Attack(plugin_zip(**changes[place]), "invalid_manifest", (place, "refers to itself")))


def test_a_pattern_that_is_catastrophic_elsewhere_is_linear_here(refused):
    """P17: the example that it would take centuries for is judged at once."""
    methods = {
        "echo": {
            "input_schema": {"properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}},
            "examples": [{"parameters": {"text": "a" * 30_000 + "!"}}],
        }
    }

    refused(
        Attack(
            plugin_zip(methods=methods), "invalid_manifest", ("examples.0.parameters", "does not")
        )
    )


def test_a_pattern_gets_no_more_text_than_it_can_take(refused):
    """P17: a linear engine takes minutes too where the pattern is long and the text is."""
    methods = {
        "echo": {
            "input_schema": {"items": {"pattern": "(?:a|b)*a(?:(?:a|b){100}){100}c"}},
            "examples": [{"parameters": {"text": "ab" * 15_000}}],
        }
    }

    refused(
        Attack(
            plugin_zip(methods=methods), "invalid_manifest", ("examples.0.parameters", "more text")
        )
    )


def test_every_problem_of_a_manifest_is_told_but_never_more_than_fifty(refused):
    """P17: a report stays readable."""
    error = refused(toml(GOOD + KEYS, "key0", "key1"))

    assert len(error["fields"]) <= 50
