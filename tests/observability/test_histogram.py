import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.histogram import BOUNDS, quantile, record


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (50e-6, 0), (51e-6, 1), (59, 61), (62, 61), (63, 62)]
)
def test_a_latency_counts_in_the_bucket_below_whose_bound_it_lies(seconds, bucket):
    assert record(seconds) == bucket


@given(st.floats(50e-6, 60))
def test_a_bucket_is_a_quarter_wide(seconds):
    bound = BOUNDS[record(seconds)]

    assert seconds <= bound <= seconds * 1.2590


@given(st.lists(st.floats(50e-6, 60), min_size=1), st.floats(0.01, 1))
def test_a_quantile_has_that_share_of_the_calls_below_it(latencies, share):
    counts = {}
    for seconds in latencies:
        counts[record(seconds)] = counts.get(record(seconds), 0) + 1
    bound = quantile(counts, share)

    assert sum(seconds <= bound for seconds in latencies) >= share * len(latencies) - 1e-9


def test_no_calls_have_no_quantile():
    assert quantile({}, 0.99) == 0.0
    assert quantile({3: 0}, 0.99) == 0.0
