"""Tries a loaded version with its manifest's own example calls, never with a tenant's."""

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import orjson

from deployments.instance.loaded import LoadedVersion
from plugins.jsonvalues import canonical_json
from plugins.manifest_types import Example
from plugins.schemas import compile_schema
from sandbox.engine.result import LoadFailed, Outcome
from sandbox.engine.spec import Attachment, Call

MAX_MESSAGE_CHARACTERS = 300
Numbered = tuple[str, int, Example]


async def probe_version(loaded: LoadedVersion) -> dict[str, Any]:
    """``{"ok": bool, "failures": [{"method", "example", "message"}]}``: what the row holds."""
    failures = []
    for group in _by_surroundings(loaded):
        try:
            failures += await _run_group(loaded, group)
        except LoadFailed as error:
            failures += [failure(method, index, error.reason) for method, index, _ in group]
    return {"ok": not failures, "failures": failures}


def _by_surroundings(loaded: LoadedVersion) -> list[list[Numbered]]:
    """Examples of one config and one set of secrets share a process, as a tenant's calls do."""
    groups: dict[bytes, list[Numbered]] = {}
    for method, spec in loaded.manifest.methods.items():
        for index, example in enumerate(spec.examples):
            surroundings = canonical_json([example.config, example.secrets])
            groups.setdefault(surroundings, []).append((method, index, example))
    return list(groups.values())


async def _run_group(loaded: LoadedVersion, group: Sequence[Numbered]) -> list[dict[str, Any]]:
    numbers = count()
    calls = [_call(loaded, method, example, next(numbers)) for method, _, example in group]
    example = group[0][2]
    attachment = Attachment(
        tenant_id="example",
        installation_id="example",
        config=orjson.dumps(dict(example.config)),
        secrets=dict(example.secrets),
    )
    examination = await loaded.pool.examine(calls, attachment)
    judged = zip(group, examination.outcomes, strict=True)
    return [
        failure(method, index, problem)
        for (method, index, example), outcome in judged
        if (problem := judge(loaded, method, example, outcome))
    ]


def _call(loaded: LoadedVersion, method: str, example: Example, number: int) -> Call:
    timeout = loaded.methods[method].timeout_seconds
    return Call(
        method=method,
        parameters=orjson.dumps(dict(example.parameters)),
        call_id=f"example-{number}",
        # They run one after the other, so each may have to wait for all the others.
        deadline=time.monotonic() + 3600,
        wall_seconds=timeout,
    )


def judge(loaded: LoadedVersion, method: str, example: Example, outcome: Outcome) -> str:
    """Empty when the example was answered as its manifest says, else what was wrong."""
    if not outcome.ok or outcome.result is None:
        return f"{outcome.code}: {outcome.message}"
    result = orjson.loads(outcome.result)
    output = loaded.methods[method].output
    if output is not None and not output.is_valid(result):
        return "the answer does not match the method's output_schema"
    if example.expect is not None and not compile_schema(example.expect).is_valid(result):
        return "the answer does not match what the example expects"
    if example.result is not None and result != example.result:
        return "the answer is not the example's result"
    return ""


def failure(method: str, index: int, message: str) -> dict[str, Any]:
    return {"method": method, "example": index, "message": message[:MAX_MESSAGE_CHARACTERS]}
