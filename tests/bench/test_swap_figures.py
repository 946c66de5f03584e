"""The figures of a swap, from records made by hand."""

import json

import pytest

from bench.load import Record
from bench.swap import SECOND, count_duplicated, summarise


def answer(call, process="a", calls=1):
    return json.dumps({"result": {"call": call, "process": process, "calls": calls}})


def record(start=0.0, end=0.1, *, version="1.0.0", status=200, body="", code=""):
    return Record("c", "t", "u", start, end, status, version, code, body or answer(start))


def test_calls_that_ran_once_are_not_duplicated():
    bodies = [answer(1, "a", 1), answer(2, "a", 2), answer(3, "b", 1)]

    assert count_duplicated([record(body=body) for body in bodies]) == 0


@pytest.mark.parametrize(
    "bodies",
    [[answer(1, "a", 1), answer(2, "a", 3)], [answer(1, "a", 1), answer(1, "b", 1)]],
    ids=["a gap in a process's count", "two answers to one call"],
)
def test_a_call_that_ran_twice_is_found(bodies):
    assert count_duplicated([record(body=body) for body in bodies]) == 1


def test_the_swap_lasts_until_the_last_answer_by_the_first_version():
    late = record(11.0, 12.5, body=answer(2, calls=2))
    swapped = record(11.2, 11.3, version=SECOND, body=answer(3, "b"))
    figures = summarise([record(body=answer(1)), late, swapped], asked=10.0)

    assert (figures["seconds_to_swap"], figures["ok"]) == (2.5, True)
    assert figures["p99_ms_during_swap"] == pytest.approx(1500)


def test_failures_are_counted_by_code():
    figures = summarise([record(status=503, code="not_ready"), record(body=answer(1))], asked=0)

    assert (figures["failed"], figures["failures"], figures["ok"]) == (1, {"not_ready": 1}, False)
