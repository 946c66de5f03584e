"""What a comparison of tenants proves and what it leaves open."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from deployments.analysis.comparison import (
    Comparison,
    Finding,
    Method,
    Policy,
    Rate,
    Unit,
    compare,
    interval,
)

POLICY = Policy(expected=40)


def units(count, *, bad, calls=1000, before=10):
    """Tenants who differ a little, as tenants do."""
    return [
        Unit(Rate(bad + n % 3, calls), None if before is None else Rate(before + n % 3, calls))
        for n in range(count)
    ]


def test_doubled_errors_of_every_tenant_are_a_regression():
    found = compare(units(20, bad=60), units(20, bad=10), POLICY)

    assert found.finding is Finding.REGRESSION
    assert found.method is Method.SEQUENTIAL
    assert found.lower > POLICY.margin


def test_identical_data_are_safe():
    """A48."""
    assert compare(units(20, bad=10), units(20, bad=10), POLICY).finding is Finding.SAFE


def test_errors_after_none_at_all_are_a_regression():
    """A48: an all-zero baseline is no excuse."""
    clean = [Unit(Rate(0, 1000), Rate(0, 1000))] * 20
    broken = [Unit(Rate(100, 1000), Rate(0, 1000))] * 20

    assert compare(broken, clean, POLICY).finding is Finding.REGRESSION


def test_what_moved_for_everybody_is_not_the_candidates_doing():
    assert compare(units(20, bad=200), units(20, bad=200), POLICY).finding is Finding.SAFE


def test_tenants_who_always_failed_more_are_no_regression():
    """A17: each is compared with its own past."""
    worse = units(20, bad=100, before=100)

    assert compare(worse, units(20, bad=10), POLICY).finding is Finding.SAFE


@pytest.mark.parametrize(("ours", "theirs"), [(1, 2), (4, 36), (36, 4), (0, 0)])
def test_too_few_tenants_prove_nothing(ours, theirs):
    """A71."""
    found = compare(units(ours, bad=900), units(theirs, bad=0), POLICY)

    assert found == Comparison(Finding.INSUFFICIENT_UNITS, Method.NONE, ours, theirs)


def test_few_tenants_are_permuted():
    found = compare(units(9, bad=300), units(9, bad=10), Policy(looks=4))

    assert found.finding is Finding.REGRESSION
    assert found.method is Method.PERMUTATION


def test_few_tenants_can_be_safe_too():
    found = compare(units(9, bad=10), units(9, bad=10), Policy(margin=0.05, looks=4))

    assert found.finding is Finding.SAFE


def test_tenants_without_calls_do_not_count():
    silent = [Unit(Rate(0, 0), Rate(10, 1000))] * 30

    found = compare([*units(10, bad=10), *silent], units(10, bad=10), POLICY)

    assert found.candidates == 10


def test_without_a_past_their_share_is_compared():
    found = compare(units(20, bad=100, before=None), units(20, bad=10, before=None), POLICY)

    assert found.finding is Finding.REGRESSION
    assert found.difference == pytest.approx(0.09)


def test_where_enough_have_a_past_the_new_ones_are_left_out():
    found = compare(
        [*units(12, bad=10), *units(3, bad=900, before=None)], units(12, bad=10), POLICY
    )

    assert (found.candidates, found.finding) == (12, Finding.SAFE)


def test_little_evidence_leaves_it_open():
    noisy = [Unit(Rate(n * 7 % 40, 100), Rate(n * 11 % 40, 100)) for n in range(20)]

    assert compare(noisy[:10], noisy[10:], POLICY).finding is Finding.UNPROVEN


rates = some.builds(Rate, some.integers(0, 50), some.integers(50, 500))
tenants = some.lists(some.builds(Unit, rates, rates), min_size=5, max_size=30)


@settings(deadline=None, max_examples=40)
@given(candidate=tenants, control=tenants, seed=some.integers(0, 1000))
def test_the_order_of_tenants_does_not_matter(candidate, control, seed):
    shuffled = random.Random(seed).sample(candidate, len(candidate))
    policy = Policy(looks=1)

    before, after = compare(candidate, control, policy), compare(shuffled, control, policy)

    assert before.finding == after.finding or before.method is Method.PERMUTATION
    assert before.difference == pytest.approx(after.difference)


@settings(deadline=None)
@given(candidate=tenants, control=tenants)
def test_a_finding_is_never_both_worse_and_safe(candidate, control):
    found = compare(candidate, control, POLICY)

    assert found.lower <= found.upper
    assert not (found.finding is Finding.SAFE and found.lower > POLICY.margin)


def test_an_interval_lies_around_its_estimate():
    estimate, lower, upper = interval([1.0, 2.0, 3.0] * 10, [1.0, 1.5, 2.0] * 10, 0.05, 60)

    assert estimate == pytest.approx(0.5)
    assert upper - estimate == pytest.approx(estimate - lower)
