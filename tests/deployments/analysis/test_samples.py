"""Sample ratio mismatch against values computed elsewhere."""

import pytest

from deployments.analysis.samples import is_mismatch, log_e_value


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ((50, 50), 0.5, -0.3478),
        ((60, 40), 0.5, 0.6589),
        ((20, 80), 0.1, 1.9207),
        ((40, 60), 0.1, 17.7461),
        ((9120, 6400), 0.5, 235.5236),
        ((12, 3), 0.3, 1.0025),
    ],
)
def test_the_evidence_has_the_published_value(counts, share, expected):
    assert log_e_value(counts, (share, 1 - share)) == pytest.approx(expected, abs=0.0001)


def test_only_evidence_beyond_chance_is_a_mismatch():
    assert not is_mismatch(log_e_value((60, 40), (0.5, 0.5)))
    assert is_mismatch(log_e_value((9120, 6400), (0.5, 0.5)))


@pytest.mark.parametrize(
    ("counts", "shares"), [((1, 2), (0.5, 0.4)), ((1, 2, 3), (0.5, 0.5)), ((1, 2), (1.0, 0.0))]
)
def test_shares_that_are_none_are_refused(counts, shares):
    with pytest.raises(ValueError, match="shares"):
        log_e_value(counts, shares)
