"""How often the comparison of tenants is wrong, and how often it sees what it should.

Tenants fail at rates of their own (Beta, 1 % in the mean) and call as much as they like
(log-normal), so errors come together by tenant. Each run looks twenty times; one look that says
regression rolls the candidate back.
"""

import argparse
import math
import random
from typing import Any

from deployments.analysis.comparison import Finding, Policy, Rate, Unit, compare

ERROR_SHAPE = (4.0, 396.0)
MEDIAN_CALLS_A_LOOK = 665
CALLS_SIGMA = 1.0
SEED = 20_260_101


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=400, help="simulated deployments of each kind")
    parser.add_argument("--tenants", type=int, default=20, help="in each arm (20)")
    parser.add_argument("--looks", type=int, default=20, help="at each deployment (20)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """``false_rollback_rate`` without any effect, ``power`` when the candidate doubles errors."""
    chance = random.Random(SEED)

    def share_rolled_back(factor: float) -> float:
        runs = (_is_rolled_back(chance, options, factor) for _ in range(options.runs))
        return sum(runs) / options.runs

    return {
        "false_rollback_rate": share_rolled_back(1.0),
        "power": share_rolled_back(2.0),
        "runs": options.runs,
        "tenants_per_arm": options.tenants,
        "looks": options.looks,
    }


class _Tenant:
    """One customer: its rate of errors, its calls a look, and what was counted."""

    def __init__(self, chance: random.Random, looks: int) -> None:
        self._chance = chance
        self._rate = chance.betavariate(*ERROR_SHAPE)
        self._calls = MEDIAN_CALLS_A_LOOK * chance.lognormvariate(0, CALLS_SIGMA)
        self._before = self._count(int(self._calls * looks), self._rate)
        self._after = Rate(0, 0)

    def go_on(self, factor: float) -> Unit:
        """The calls until the next look."""
        new = self._count(max(1, int(self._calls)), min(1.0, self._rate * factor))
        self._after = Rate(self._after.bad + new.bad, self._after.calls + new.calls)
        return Unit(self._after, self._before)

    def _count(self, calls: int, rate: float) -> Rate:
        """A binomial count, by the gaps between failures, which are geometric."""
        failures, position = 0, 0
        while rate > 0:
            position += 1 + int(math.log(1 - self._chance.random()) / math.log1p(-rate))
            if position > calls:
                break
            failures += 1
        return Rate(failures, calls)


def _is_rolled_back(chance: random.Random, options: argparse.Namespace, factor: float) -> bool:
    candidate, control = (
        [_Tenant(chance, options.looks) for _ in range(options.tenants)] for _ in range(2)
    )
    policy = Policy(margin=0.0, expected=2 * options.tenants, looks=options.looks)
    for _ in range(options.looks):
        found = compare(
            [tenant.go_on(factor) for tenant in candidate],
            [tenant.go_on(1.0) for tenant in control],
            policy,
        )
        if found.finding is Finding.REGRESSION:
            return True
    return False
