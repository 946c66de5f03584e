"""What goes back over HTTP: a result, a failed outcome or a refusal. One shape of error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from deployments.instance.leases import Excess, seconds_left
from deployments.instance.refusals import Refusal, header
from sandbox.engine.result import Outcome, OutcomeCode

JSON = header(b"content-type", b"application/json")
PROBLEM = header(b"content-type", b"application/problem+json")
STATUS_OF_OUTCOME: Mapping[OutcomeCode, int] = {
    OutcomeCode.OK: 200,
    OutcomeCode.PLUGIN_ERROR: 502,
    OutcomeCode.TIMEOUT: 504,
    OutcomeCode.CPU_LIMIT: 504,
    OutcomeCode.MEMORY_LIMIT: 502,
    OutcomeCode.OUTPUT_LIMIT: 502,
    OutcomeCode.PROTOCOL_ERROR: 502,
    OutcomeCode.CRASHED: 502,
    OutcomeCode.EGRESS_DENIED: 502,
    OutcomeCode.NOT_READY: 503,
    OutcomeCode.DRAINING: 503,
    OutcomeCode.SNAPSHOT_EXPIRED: 503,
    OutcomeCode.QUOTA_EXCEEDED: 429,
    OutcomeCode.CONFIG_INVALID: 409,
    OutcomeCode.VERSION_REVOKED: 409,
    OutcomeCode.PLUGIN_DISABLED: 409,
}
INTERNAL = Refusal(500, "internal_error", "Something went wrong here; the trace id names it.")


@dataclass(slots=True)
class Answer:
    """``headers`` are whole lines. ``started``: a process had the call, so it may have acted."""

    status: int
    body: bytes
    headers: list[bytes] = field(default_factory=list)
    started: bool = False


def answer_result(result: bytes) -> Answer:
    """The engine has checked that the result is JSON and nothing else."""
    return Answer(200, b'{"outcome":"ok","result":' + result + b"}", [JSON], started=True)


def answer_outcome(outcome: Outcome, trace_id: str) -> Answer:
    retry_after = outcome.retry_after_seconds
    refusal = Refusal(
        STATUS_OF_OUTCOME[outcome.code],
        outcome.code.value,
        outcome.message or outcome.code.value,
        retry_after=retry_after,
    )
    answer = answer_refusal(refusal, trace_id)
    answer.started = outcome.started
    return answer


def answer_refusal(refusal: Refusal, trace_id: str) -> Answer:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.fields:
        error["fields"] = refusal.fields
    error["trace_id"] = trace_id
    body = {
        "error": error,
        "type": f"urn:hotswap:error:{refusal.code}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.message,
    }
    headers = [PROBLEM, *refusal.headers]
    if refusal.retry_after is not None:
        headers.append(header(b"retry-after", b"%d" % seconds_left(refusal.retry_after)))
    return Answer(refusal.status, orjson.dumps(body), headers)


def answer_internal_error(trace_id: str = "") -> Answer:
    """For a defect of ours; the log has the rest."""
    return answer_refusal(INTERNAL, trace_id)


def outcome_refusal(
    code: OutcomeCode, message: str, *, retry_after: float | None = None
) -> Refusal:
    """An outcome that is known before any process is asked."""
    return Refusal(STATUS_OF_OUTCOME[code], code.value, message, retry_after=retry_after)


def quota_refusal(excess: Excess, who: str) -> Refusal:
    if excess.limit:
        message = f"{who} has used up its {excess.limit} {excess.what}; try again later."
    else:
        message = f"The quota of {who} is 0 {excess.what}: no call runs until an Admin raises it."
    reset = seconds_left(excess.retry_after)
    pairs = ((b"limit", excess.limit), (b"remaining", 0), (b"reset", reset))
    headers = tuple(header(b"x-ratelimit-" + name, b"%d" % value) for name, value in pairs)
    return Refusal(
        STATUS_OF_OUTCOME[OutcomeCode.QUOTA_EXCEEDED],
        OutcomeCode.QUOTA_EXCEEDED.value,
        message,
        retry_after=excess.retry_after,
        headers=headers,
    )
