"""Candidate against control, tenant by tenant, each against its own past.

Difference in differences: what is compared is by how much each tenant's rate moved. That takes out
that tenants differ, and what moved for everybody at the same time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, variance

from deployments.analysis.permutation import permutation_p
from deployments.analysis.sequential import half_width, one_sided_half_width

LEAST_UNITS = 5
LEAST_UNITS_FOR_BOUNDS = 10


class Finding(StrEnum):
    """``unproven``: neither; more units or calls may tell. The last: too few ever to tell."""

    REGRESSION = "regression"
    SAFE = "safe"
    UNPROVEN = "unproven"
    INSUFFICIENT_UNITS = "insufficient_units"


class Method(StrEnum):
    SEQUENTIAL = "sequential"
    PERMUTATION = "permutation"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rate:
    """``bad`` of ``calls``: failures, or calls that were too slow."""

    bad: int
    calls: int

    @property
    def share(self) -> float:
        return self.bad / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A tenant since the arms were told apart, and before; None: it has no past to compare with."""

    after: Rate
    before: Rate | None = None

    @property
    def change(self) -> float:
        """By how much its share moved; without a past, its share."""
        return self.after.share - (self.before.share if self.before else 0.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """``margin``: by how much worse is no matter, as a share of calls. ``alpha``: one-sided risk of
    a false alarm over all looks. ``expected``: units in both arms at the decision. ``looks``: how
    often the permutation test will be asked; unlike the bounds it makes no allowance of its own.
    """

    margin: float = 0.005
    alpha: float = 0.05
    expected: int = 100
    looks: int = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences are shares of calls, candidate less control; ``p`` is the permutation test's."""

    finding: Finding
    method: Method
    candidates: int
    controls: int
    difference: float = 0.0
    lower: float = -math.inf
    upper: float = math.inf
    p: float | None = None


def compare(candidate: Sequence[Unit], control: Sequence[Unit], policy: Policy) -> Comparison:
    """A regression only when it is proven; safe only when that is. Tenants without calls count not.

    Only tenants with a past are compared where both arms have enough of them, else all by their
    share alone.
    """
    ours, theirs = _comparable(candidate, control)
    fewest = min(len(ours), len(theirs))
    if fewest < LEAST_UNITS:
        return Comparison(Finding.INSUFFICIENT_UNITS, Method.NONE, len(ours), len(theirs))
    if fewest < LEAST_UNITS_FOR_BOUNDS:
        return _by_permutation(ours, theirs, policy)
    return _by_bounds(ours, theirs, policy)


def interval(
    candidate: Sequence[float], control: Sequence[float], alpha: float, expected: int
) -> tuple[float, float, float]:
    """Estimate, lower and upper end of the difference of two means of units; for A/B goals."""
    difference, error = _difference(candidate, control)
    width = half_width(error, len(candidate) + len(control), expected, alpha)
    return difference, difference - width, difference + width


def _comparable(
    candidate: Sequence[Unit], control: Sequence[Unit]
) -> tuple[list[float], list[float]]:
    arms = [[unit for unit in arm if unit.after.calls] for arm in (candidate, control)]
    known = [[unit for unit in arm if unit.before and unit.before.calls] for arm in arms]
    if min(map(len, known)) >= LEAST_UNITS:
        ours, theirs = ([unit.change for unit in arm] for arm in known)
    else:
        ours, theirs = ([unit.after.share for unit in arm] for arm in arms)
    return ours, theirs


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """The difference of the means and its standard error, by Welch."""
    error = math.sqrt(variance(ours) / len(ours) + variance(theirs) / len(theirs))
    return fmean(ours) - fmean(theirs), error


def _by_bounds(ours: list[float], theirs: list[float], policy: Policy) -> Comparison:
    difference, error = _difference(ours, theirs)
    units = len(ours) + len(theirs)
    width = one_sided_half_width(error, units, policy.expected, policy.alpha)
    lower, upper = difference - width, difference + width
    finding = Finding.UNPROVEN
    if lower > policy.margin:
        finding = Finding.REGRESSION
    elif upper < policy.margin:
        finding = Finding.SAFE
    return Comparison(finding, Method.SEQUENTIAL, len(ours), len(theirs), difference, lower, upper)


def _by_permutation(ours: list[float], theirs: list[float], policy: Policy) -> Comparison:
    """Both ways round: worse by more than the margin, or shown to be worse by less."""
    difference, _ = _difference(ours, theirs)
    worse = permutation_p([value - policy.margin for value in ours], theirs)
    better = permutation_p([policy.margin - value for value in ours], [-v for v in theirs])
    alpha = policy.alpha / policy.looks
    finding = Finding.UNPROVEN
    if worse <= alpha:
        finding = Finding.REGRESSION
    elif better <= alpha:
        finding = Finding.SAFE
    return Comparison(
        finding, Method.PERMUTATION, len(ours), len(theirs), difference, p=min(worse, better)
    )
