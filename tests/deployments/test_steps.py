import json

import pytest

from deployments.steps import KINDS, Approve, Hold, Load, Promote, Role, Route, Unload, dump, load


@pytest.mark.parametrize(
    "step",
    [Load(), Route(100), Hold(2.5), Approve(2), Promote(), Unload(Role.INCUMBENT, 600)],
    ids=str,
)
def test_a_stored_step_is_the_step_that_was_stored(step):
    kind, arguments = dump(step)

    assert load(kind, json.loads(json.dumps(arguments))) == step


def test_an_unknown_kind_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown kind of step 'dance'; known are load"):
        load("dance", {})


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_is_a_percentage(percent):
    with pytest.raises(ValueError, match="not a percentage"):
        Route(percent)


def test_every_kind_of_step_says_what_it_is_in_words():
    shortest = {"route": {"percent": 0}, "hold": {"seconds": 1}, "approve": {"count": 1}}
    shortest["unload"] = {"role": "candidate"}

    for kind in KINDS:
        assert "object at" not in str(load(kind, shortest.get(kind, {})))
