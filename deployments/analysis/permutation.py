"""Fisher's permutation test of a difference of means, for arms too small for any approximation."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations

MOST_EXACT = 20_000
DRAWS = 9_999


def permutation_p(candidate: Sequence[float], control: Sequence[float]) -> float:
    """How likely a difference of means at least this large is when the arms do not differ.

    One-sided, candidate above control. Exact where there are at most 20,000 ways to split the
    units; else by 9,999 draws, always the same ones. Never 0.
    """
    pooled = [*candidate, *control]
    size, total = len(candidate), math.fsum(pooled)
    # With sizes fixed the difference grows with the candidate's sum alone; half a unit in the last
    # places keeps sums that differ by rounding equal.
    observed = math.fsum(candidate) - 1e-12 * max(1.0, abs(total))
    if math.comb(len(pooled), size) <= MOST_EXACT:
        return _share(observed, combinations(pooled, size))
    drawn = random.Random(0)  # noqa: S311 - no secret: the same evidence must give the same verdict
    splits = (drawn.sample(pooled, size) for _ in range(DRAWS))
    return (1 + sum(math.fsum(split) >= observed for split in splits)) / (DRAWS + 1)


def _share(observed: float, splits: "Iterator[tuple[float, ...]]") -> float:
    found = [math.fsum(split) >= observed for split in splits]
    return sum(found) / len(found)
