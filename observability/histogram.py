"""Latencies counted in log-spaced buckets: ten to a decade, from 50 µs to a minute."""

from bisect import bisect_left
from collections.abc import Mapping

SMALLEST_SECONDS = 50e-6
BUCKETS_PER_DECADE = 10
BOUNDS = tuple(SMALLEST_SECONDS * 10 ** (index / BUCKETS_PER_DECADE) for index in range(62))
"""The upper bound of each bucket in seconds; one more bucket holds what is slower than the last."""


def record(seconds: float) -> int:
    """The index of the bucket that a latency counts in."""
    return bisect_left(BOUNDS, seconds)


def quantile(counts: Mapping[int, int], share: float) -> float:
    """The upper bound, in seconds, of the bucket below which that share of the calls lies.

    0 without a call. Exact to a bucket, which is 26 % wide.
    """
    wanted = share * sum(counts.values())
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= wanted and counts[index]:
            return BOUNDS[min(index, len(BOUNDS) - 1)]
    return 0.0
