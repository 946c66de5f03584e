"""Sample ratio mismatch: whether as many units arrived in each arm as were sent there.

The sequential multinomial test of Lindon and Malek, "Anytime-valid inference for multinomial count
data" (2022), with a Dirichlet prior concentrated on the intended shares.
"""

from collections.abc import Sequence
from math import fsum, isclose, lgamma, log

CONCENTRATION = 100.0
ALARM_LOG_E = log(1000)


def log_e_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Evidence against the shares; e is at least 1/alpha with a probability of at most alpha.

    ``shares`` are positive and add up to 1. Evidence of separate steps is added.
    """
    if len(counts) != len(shares) or not isclose(fsum(shares), 1) or min(shares) <= 0:
        raise ValueError(f"{shares} are not the shares of {len(counts)} arms")
    total = sum(counts)
    value = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + total)
    for count, share in zip(counts, shares, strict=True):
        prior = CONCENTRATION * share
        value += lgamma(prior + count) - lgamma(prior) - count * log(share)
    return value


def is_mismatch(log_e: float) -> bool:
    """Whether the evidence is beyond chance, however often it was looked at."""
    return log_e >= ALARM_LOG_E
