"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T], seconds: float = 20, *, what: str = "the condition"
) -> T:
    """Ask ``predicate`` until its answer is true and return that; after ``seconds`` say what did
    not happen.
    """
    deadline = time.monotonic() + seconds
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{what} did not happen within {seconds} s; last answer: {answer!r}"
            )
        time.sleep(0.02)
    return answer
