"""The permutation test against what can be counted by hand."""

import pytest

from deployments.analysis.permutation import DRAWS, permutation_p


def test_the_largest_difference_has_one_split_of_all():
    assert permutation_p([5, 6, 7], [1, 2, 3]) == pytest.approx(1 / 20)


def test_identical_arms_prove_nothing():
    assert permutation_p([1, 1, 1], [1, 1, 1]) == 1


def test_a_smaller_candidate_is_no_evidence_that_it_is_larger():
    assert permutation_p([1, 2, 3], [5, 6, 7]) == 1


def test_many_splits_are_drawn_and_always_the_same_ones():
    ours, theirs = [0.3] * 9, [0.1, 0.2] * 15

    p = permutation_p(ours, theirs)

    assert p == permutation_p(ours, theirs)
    assert 1 / (DRAWS + 1) <= p < 0.01
