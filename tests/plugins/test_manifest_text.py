"""Any text is read as a manifest or refused, in bounded memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.manifest import (
    ManifestError,
    load_manifest,
    parse_manifest,
)
from plugins.manifest_text import MAX_MANIFEST_BYTES
from tests.artifacts import dump_toml, manifest_data, manifest_text
from tests.plugins.manifests import FULL


def test_a_manifest_that_is_too_long_is_refused():
    with pytest.raises(ManifestError, match="the limit is"):
        parse_manifest("#" * (MAX_MANIFEST_BYTES + 1))


@pytest.mark.parametrize(
    "bomb",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 60_000,
        "a" + ".a" * 100_000 + " = 1",
        "['a'" + " . 'a'" * 30_000 + "]",
        "a = " + "9" * 200_000,
        "a = 1e" + "9" * 200_000,
        '"' * 200_001,
        "'''" * 80_001,
        "[[a]]\n" * 30_000,
        "",
        "\0",
        "name = ",
    ],
    ids=lambda text: text[:8],
)
def test_toml_that_is_broken_or_a_bomb_is_refused_in_bounded_memory(bomb):
    with pytest.raises(ManifestError):
        parse_manifest(bomb)


def test_strings_may_hold_brackets_dots_and_quotes():
    text = 'a.b.c.[[[{{{ "quoted"'
    assert parse_manifest(manifest_text(summary=text)).summary == text
    more = manifest_text(summary=None) + 'summary = """He said "hi""""\n'
    assert parse_manifest(more).summary == 'He said "hi"'


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_whatever_comes_in_only_a_manifest_error_comes_out(text):
    with pytest.raises(ManifestError):
        parse_manifest(text)


JSON = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(sorted({*manifest_data(), *FULL, "isolation"}))


@given(st.dictionaries(KEYS, JSON, max_size=4))
@settings(max_examples=200)
def test_whatever_a_key_holds_the_manifest_is_read_or_refused(changes):
    try:
        load_manifest({**manifest_data(), **changes})
    except ManifestError as error:
        assert error.fields


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


@given(
    summary=WORDS,
    memory_mb=st.integers(32, 4096),
    wall_seconds=st.floats(0.1, 300),
    rate=st.none() | st.floats(0, 1),
    examples=st.lists(st.fixed_dictionaries({"parameters": st.dictionaries(WORDS, WORDS)})),
)
@settings(max_examples=50)
def test_what_was_read_is_written_and_read_as_the_same(
    summary, memory_mb, wall_seconds, rate, examples
):
    data = manifest_data(
        summary=summary,
        resources={"memory_mb": memory_mb, "wall_seconds": wall_seconds},
        health={} if rate is None else {"error_rate": rate},
        methods={"echo": {"input_schema": {"type": "object"}, "examples": examples[:5]}},
    )
    manifest = load_manifest(data)
    assert parse_manifest(dump_toml(manifest.as_dict())) == manifest
