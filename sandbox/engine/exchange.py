"""What waits for an answer: a call with its ticket, or a question of the host's own."""

import asyncio
from typing import Any, Protocol

from sandbox.engine.endings import Ending
from sandbox.engine.result import Metric, Outcome, OutcomeCode
from sandbox.engine.spec import Call

MAX_METRICS = 100


class Promise(Protocol):
    """Where an outcome goes: an ``asyncio.Future``, or somebody who is told without a turn of the
    event loop in between. ``set_result`` is called once, on the loop; it must neither raise nor
    submit another call.
    """

    def done(self) -> bool:
        """Whether nobody needs the outcome: it came, or its reader went away."""

    def set_result(self, result: Outcome, /) -> None:
        """The call has ended."""


class Ticket:
    """A call from the moment it waits. ``kill_at`` and ``started_at`` count once it runs."""

    __slots__ = ("call", "cpu_start", "kill_at", "metrics", "promise", "started_at")

    def __init__(self, call: Call, promise: Promise) -> None:
        self.call = call
        self.promise = promise
        self.kill_at = call.deadline
        self.started_at = 0.0
        self.cpu_start: float | None = None
        self.metrics: tuple[Metric, ...] = ()

    def refuse(self, code: OutcomeCode, message: str, retry_after: float | None = None) -> None:
        """Answer without having started."""
        if not self.promise.done():
            self.promise.set_result(Outcome(code, message=message, retry_after_seconds=retry_after))

    def end(self, ending: Ending, logs: str) -> None:
        """Answer because the process ended under the call."""
        if not self.promise.done():
            wall = ending.at - self.started_at
            outcome = Outcome(ending.code, None, ending.message, wall, True, logs, self.metrics)
            self.promise.set_result(outcome)

    def keep_metrics(self, samples: object) -> None:
        """Take well-formed samples; whatever else a process sent is ignored."""
        if isinstance(samples, list):
            parsed = (metric_of(sample) for sample in samples[:MAX_METRICS])
            self.metrics = tuple(metric for metric in parsed if metric)


class Question:
    """A control message without its answer."""

    __slots__ = ("future",)

    def __init__(self, future: "asyncio.Future[dict[str, Any]]") -> None:
        self.future = future

    def settle(self, message: dict[str, Any]) -> None:
        """The answer came."""
        if not self.future.done():
            self.future.set_result(message)

    def end(self, ending: Ending, logs: str) -> None:
        """It never will."""
        self.settle({"code": ending.code.value, "message": ending.message, "log": logs})

    def fail(self, message: str) -> None:
        """It was never asked."""
        self.settle({"code": OutcomeCode.CRASHED.value, "message": message})


def metric_of(sample: object) -> Metric | None:
    """A sample ``[name, value, labels]`` from the wire, or None."""
    match sample:
        case [str(name), int() | float() as value, dict(labels)]:
            pairs = sorted((str(key), str(text)[:100]) for key, text in labels.items())
            return Metric(name, float(value), tuple(pairs[:10]))
    return None
