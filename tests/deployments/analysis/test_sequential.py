"""The bounds against values computed elsewhere, and what must hold of any such bound."""

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as some

from deployments.analysis.sequential import half_width, one_sided_half_width


@pytest.mark.parametrize(
    ("units", "expected", "multiplier"), [(40, 100, 3.124), (100, 100, 3.035), (1000, 5000, 3.364)]
)
def test_the_two_sided_bound_has_the_published_width(units, expected, multiplier):
    assert half_width(1.0, units, expected, 0.05) == pytest.approx(multiplier, abs=0.001)


def test_one_side_alone_costs_less():
    assert one_sided_half_width(1.0, 100, 100, 0.05) == pytest.approx(2.78, abs=0.01)


@given(
    error=some.floats(1e-6, 10),
    units=some.integers(10, 10_000),
    expected=some.integers(10, 10_000),
    alpha=some.floats(0.001, 0.2),
)
def test_free_looks_are_never_cheaper_than_one_look(error, units, expected, alpha):
    fixed = NormalDist().inv_cdf(1 - alpha) * error

    assert one_sided_half_width(error, units, expected, alpha) > fixed
    assert half_width(error, units, expected, alpha) > fixed
