"""Bounds on a difference of means that hold however often one looks.

Asymptotic confidence sequences of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
central limit theory and asymptotic confidence sequences" (2021), theorems 2.2 and 2.5, with the
mixture tuned to be tightest at ``expected`` units.
"""

import math


def half_width(standard_error: float, units: int, expected: int, alpha: float) -> float:
    """Two-sided: the difference lies within this of its estimate, at every look, but for ``alpha``.

    ``units``: in all arms together; ``expected``: how many there will be at the decision.
    """
    scale, growth = _scale(units, _rho_squared(alpha, expected))
    return standard_error * scale * math.sqrt(math.log(math.sqrt(growth) / alpha))


def one_sided_half_width(standard_error: float, units: int, expected: int, alpha: float) -> float:
    """The difference is at least its estimate less this, at every look, but for ``alpha``."""
    scale, growth = _scale(units, _rho_squared(2 * alpha, expected))
    return standard_error * scale * math.sqrt(math.log(1 + math.sqrt(growth) / (2 * alpha)))


def _rho_squared(alpha: float, expected: int) -> float:
    """The mixture's variance that makes the sequence tightest at ``expected`` units."""
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / expected


def _scale(units: int, rho_squared: float) -> tuple[float, float]:
    """What the standard error is multiplied with, and the growth under the logarithm."""
    growth = units * rho_squared + 1
    return math.sqrt(units * 2 * growth / (units**2 * rho_squared)), growth
