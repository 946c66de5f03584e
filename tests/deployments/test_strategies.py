"""What holds for every strategy in the folder, the next one included."""

import json
from dataclasses import FrozenInstanceError

import pytest

from deployments.plans import draw_plan
from deployments.steps import Approve, Load, Probe, Promote, Role, Route, Unload, dump, load
from deployments.strategies import STRATEGIES, choices, find_strategy
from hotswap.lib.errors import InvalidInputError

EVERY_STRATEGY = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
OPTIONS = [
    {},
    {"max_error_percent": 1},
    {"max_latency_ratio": 3.5, "max_failed_tenants": 1},
]


def serving(steps):
    """Who serves tenants, who is loaded and who is stable after these steps."""
    loaded, stable, share = {Role.INCUMBENT}, Role.INCUMBENT, 0
    for step in steps:
        match step:
            case Load():
                loaded.add(Role.CANDIDATE)
            case Route(percent):
                share = percent
            case Promote():
                stable = Role.CANDIDATE
            case Unload(role):
                loaded.discard(role)
    used = {Role.CANDIDATE} if share else set()
    return used | ({stable} if share < 100 else set()), loaded, stable


@EVERY_STRATEGY
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_plan_ends_with_the_candidate_alone(strategy, options):
    used, loaded, stable = serving(strategy.from_options(options).plan())

    assert (used, loaded, stable) == ({Role.CANDIDATE}, {Role.CANDIDATE}, Role.CANDIDATE)


@EVERY_STRATEGY
def test_nobody_serves_before_it_is_loaded_and_probed(strategy):
    steps = list(strategy().plan())

    for count in range(len(steps) + 1):
        used, loaded, _ = serving(steps[:count])
        assert used <= loaded
    first_route = next(at for at, step in enumerate(steps) if isinstance(step, Route))
    assert any(isinstance(step, Probe) for step in steps[:first_route])


@EVERY_STRATEGY
def test_rollback_from_every_step_ends_with_the_incumbent_alone(strategy):
    steps, back = list(strategy().plan()), list(strategy().rollback())
    promotion = next(at for at, step in enumerate(steps) if isinstance(step, Promote))

    for count in range(promotion + 1):
        way = steps[:count] + back
        for done in range(count, len(way) + 1):
            used, loaded, _ = serving(way[:done])
            assert used <= loaded
        assert serving(way) == ({Role.INCUMBENT}, {Role.INCUMBENT}, Role.INCUMBENT)


@EVERY_STRATEGY
def test_a_first_version_is_loaded_and_probed_before_it_is_stable(strategy):
    assert list(strategy().first_plan()) == [Load(), Probe(), Promote()]


@EVERY_STRATEGY
def test_every_step_survives_storage(strategy):
    for step in [*strategy().plan(), *strategy().first_plan(), *strategy().rollback()]:
        kind, arguments = dump(step)
        assert load(kind, json.loads(json.dumps(arguments))) == step


@EVERY_STRATEGY
def test_options_have_units_bounds_and_help(strategy):
    for option in strategy.options():
        assert option.unit
        assert option.help.endswith(".")
        assert option.minimum <= option.default <= option.maximum


@EVERY_STRATEGY
def test_bounds_are_accepted_and_what_lies_beyond_is_refused(strategy):
    for option in strategy.options():
        for value in (option.minimum, option.maximum):
            strategy.from_options({option.name: value})
        for value in (option.minimum - 1, option.maximum + 1, "5", True, None, float("nan")):
            with pytest.raises(InvalidInputError) as refusal:
                strategy.from_options({option.name: value})
            assert list(refusal.value.fields) == [f"options.{option.name}"]


@EVERY_STRATEGY
def test_a_strategy_is_a_value(strategy):
    with pytest.raises(FrozenInstanceError):
        strategy().max_error_percent = 50


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(InvalidInputError) as refusal:
        find_strategy("direct").from_options({"bake": 3})

    assert "is not an option; there are max_error_percent" in str(refusal.value.fields)


def test_an_unknown_strategy_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInputError, match=r"no strategy big-bang; choose one of .*direct"):
        find_strategy("big-bang")


def test_choices_are_names_and_labels():
    assert ("direct", "Direct") in choices()


def test_approvals_come_before_everything():
    plan = draw_plan(find_strategy("direct")(), has_incumbent=True, approvals=2)

    assert plan[:2] == [Approve(2), Load()]
