"""Version numbers and constraints, with packaging itself as the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from plugins.querysets import sort_key
from plugins.versions import InvalidVersionError, parse_specifier, parse_version, satisfies

NUMBERS = st.integers(0, 12)
STAGES = st.one_of(
    st.just(""), st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), NUMBERS)
)
VERSIONS = st.builds("{}.{}.{}{}".format, NUMBERS, NUMBERS, NUMBERS, STAGES)
CLAUSES = st.one_of(
    st.builds(
        "{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~=", "==="]), VERSIONS
    ),
    st.builds("{}{}.{}.*".format, st.sampled_from(["==", "!="]), NUMBERS, NUMBERS),
    st.builds("~={}.{}".format, NUMBERS, NUMBERS),
)
SPECIFIERS = st.lists(CLAUSES, max_size=3).map(",".join)


def names_a_prerelease(text):
    clauses = [clause for clause in text.split(",") if clause and not clause.endswith(".*")]
    asking = [clause for clause in clauses if not clause.startswith("!=")]
    return any(Version(clause.lstrip("<>=~")).is_prerelease for clause in asking)


@given(VERSIONS, SPECIFIERS)
def test_a_constraint_holds_exactly_where_packaging_says(version, text):
    opted_in = names_a_prerelease(text)
    oracle = SpecifierSet(text).contains(Version(version), prereleases=opted_in)

    assert satisfies(version, text) == oracle
    if Version(version).is_prerelease and not opted_in:
        assert not satisfies(version, text)


@given(VERSIONS, SPECIFIERS, SPECIFIERS)
def test_two_constraints_hold_together_where_each_holds(version, left, right):
    both = ",".join(filter(None, (left, right)))
    if not Version(version).is_prerelease:
        assert satisfies(version, both) == (satisfies(version, left) and satisfies(version, right))


@given(VERSIONS, VERSIONS)
def test_rows_sort_as_versions_do(left, right):
    keys = sort_key(parse_version(left)), sort_key(parse_version(right))

    assert (keys[0] < keys[1]) == (Version(left) < Version(right))
    assert (keys[0] == keys[1]) == (Version(left) == Version(right))


@given(VERSIONS)
def test_a_version_is_read_as_written_and_stays_the_same(text):
    assert str(parse_version(text)) == text


@given(st.text(max_size=30))
def test_any_other_text_is_refused_or_canonical(text):
    try:
        assert str(parse_version(text)) == text
    except InvalidVersionError as error:
        assert "X.Y.Z" in error.message


@given(st.text("<>=!~.,0123456789abrc* ", max_size=20))
def test_any_text_is_a_constraint_or_refused(text):
    try:
        satisfies("1.0.0", text)
        parse_specifier(text)
    except InvalidVersionError as error:
        assert "constraint" in error.message


ACCEPTED = [
    ("1.5.0", ">=1.5.0", True),
    ("1.4.9", ">=1.5.0", False),
    ("1.9.3", "~=1.4", True),
    ("2.0.0", "~=1.4", False),
    ("1.4.9", "~=1.4.2", True),
    ("1.5.0", "~=1.4.2", False),
    ("1.6.0", ">=1.5,<2,!=1.6.0", False),
    ("1.6.1", ">=1.5,<2,!=1.6.0", True),
    ("3.0.0", "", True),
    ("2.0.0rc1", "", False),
    ("2.0.0rc1", ">=1.5", False),
    ("2.0.0rc1", "<2", False),
    ("2.0.0rc1", "!=1.0.0rc1", False),
    ("2.0.0rc1", ">=2.0.0rc1", True),
    ("2.0.0", ">=2.0.0rc1", True),
    ("1.5.0", "==1.5", True),
    ("1.5.7", "==1.5.*", True),
]


@pytest.mark.parametrize(("version", "constraint", "holds"), ACCEPTED)
def test_what_a_constraint_takes(version, constraint, holds):
    assert satisfies(version, constraint) is holds
