from pathlib import Path

import pytest
from django.conf import settings

from plugins.manifest import parse_manifest
from plugins.manifest_words import entries_of, health_of, methods_of, metrics_of, settings_of

EXAMPLES = sorted((Path(settings.BASE_DIR) / "examples").rglob("hotswap.toml"))


def entry(**schema):
    (only,) = entries_of({"properties": {"x": schema}})
    return only.kind, only.detail


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "maxLength": 80}, ("text", "at most 80 characters")),
        ({"type": "string", "minLength": 2, "maxLength": 2}, ("text", "exactly 2 characters")),
        ({"type": "integer", "minimum": 1, "maximum": 9}, ("whole number", "1 to 9")),
        ({"type": ["string", "null"]}, ("text or nothing", "")),
        ({"type": "string", "format": "date"}, ("date", "")),
        ({"type": "array", "items": {"type": "string"}}, ("list: text", "")),
        ({"enum": ["NL", "DE"], "default": "NL"}, ("one of", "NL, DE; NL unless set")),
        ({"type": "boolean", "default": False}, ("yes or no", "false unless set")),
        ({"const": 3}, ("always 3", "")),
        ({}, ("anything", "")),
    ],
)
def test_a_schema_is_said_in_words(schema, words):
    assert entry(**schema) == words


def test_a_long_choice_is_cut_and_counted():
    assert entry(enum=list(range(40)))[1].endswith("and 28 more")


def test_what_is_required_comes_first():
    schema = {"required": ["b"], "properties": {"a": {}, "b": {}}}
    assert [each.name for each in entries_of(schema)] == ["b", "a"]


@pytest.mark.parametrize("schema", [None, True, {}, {"properties": []}, {"properties": {}}])
def test_a_schema_without_keys_has_no_entries(schema):
    assert entries_of(schema) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_every_example_can_be_read(path):
    manifest = parse_manifest(path.read_text()).as_dict()
    methods = methods_of(manifest)
    assert [each.name for each in methods] == sorted(manifest["methods"])
    assert all(each.entries and each.facts for each in methods)
    assert len(settings_of(manifest)) == len(manifest["config"]["schema"].get("properties", {}))
    assert health_of(manifest)[0][0] == "Must start within"
    assert len(metrics_of(manifest)) == len(manifest["metrics"])
