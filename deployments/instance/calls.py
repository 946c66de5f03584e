"""The life of a call: admit, quota, route, pass on or run, answer, count."""

import time
from dataclasses import dataclass

import orjson
import structlog

from deployments.instance.admission import Admission, Caller, not_ready
from deployments.instance.answers import (
    Answer,
    answer_outcome,
    answer_refusal,
    answer_result,
    outcome_refusal,
    quota_refusal,
)
from deployments.instance.facts import REVOKED, Snapshot
from deployments.instance.forwarding import Forwarding
from deployments.instance.hosting import Hosting
from deployments.instance.knowledge import Knowledge
from deployments.instance.loaded import Attached, LoadedVersion, Method
from deployments.instance.passing import PassedCall
from deployments.instance.quotas import Quotas
from deployments.instance.refusals import Refusal, RefusedError, header, refuse_input
from deployments.instance.requests import Invocation, Request, read_body
from deployments.instance.unsealing import has_current_seal
from deployments.instance.windows import Windows
from deployments.routing import Decision, Rule, choose_version
from hotswap.lib.sealing import SealBrokenError
from sandbox.engine.result import Outcome, OutcomeCode
from sandbox.engine.spec import Call

logger = structlog.get_logger(__name__)

# What a call may wait for its turn beyond its method's own time.
QUEUE_SECONDS = 15.0
_HEADERS = b"x-hotswap-generation: %d\r\nx-request-id: %b\r\nx-hotswap-trace-id: %b\r\n"


@dataclass(slots=True)
class Planned:
    """A call that will run here. From its making until ``finish`` the version stays loaded."""

    loaded: LoadedVersion
    method: Method
    attached: Attached
    call: Call


class Calls:
    """Answers calls. Nothing here raises but for a defect of ours."""

    def __init__(
        self,
        knowledge: Knowledge,
        admission: Admission,
        quotas: Quotas,
        hosting: Hosting,
        forwarding: Forwarding,
        windows: Windows,
    ) -> None:
        self._knowledge = knowledge
        self._admission = admission
        self._quotas = quotas
        self._hosting = hosting
        self._forwarding = forwarding
        self._windows = windows

    async def answer(self, request: Request) -> Answer:
        """One call, whatever becomes of it."""
        try:
            answer = await self._answer(request)
        except RefusedError as error:
            answer = answer_refusal(error.refusal, request.trace_id)
        except SealBrokenError as error:
            logger.warning("secret_unreadable", error=error.message, path=request.path)
            refusal = not_ready("The secrets for this call cannot be opened here.").refusal
            answer = answer_refusal(refusal, request.trace_id)
        self._add_headers(answer, request)
        return answer

    async def _answer(self, request: Request) -> Answer:
        snapshot = self._snapshot()
        request.generation = snapshot.generation
        if request.passed is not None:
            return await self._answer_passed(request, request.passed, snapshot)
        caller = self._admission.admit(request, snapshot)
        invocation = read_body(request.body)
        if not self._take_quota_at_once(caller):
            await self._take_quota(caller)
            caller = self._refresh(caller, request)
        try:
            return await self._run_or_pass(request, caller, invocation)
        finally:
            if caller.installation is not None:
                self._quotas.release(caller.installation.id)

    async def _answer_passed(self, request: Request, signed: bytes, snapshot: Snapshot) -> Answer:
        """The sender has admitted it and took the quota; it is not passed a second time."""
        passed = self._forwarding.accept(signed, request)
        caller = self._admission.admit_passed(passed, snapshot)
        loaded = self._hosting.ready.get(passed.version_id)
        _refuse_unroutable(_decide(caller), caller)
        if loaded is None:
            raise not_ready(f"{caller.shard.name} is no longer ready at this instance.")
        return await self._run(request, caller, read_body(request.body), loaded, passed)

    def _snapshot(self) -> Snapshot:
        snapshot = self._knowledge.snapshot
        if snapshot is None:
            raise not_ready("This instance is starting and knows nothing yet.")
        if self._knowledge.is_expired():
            message = "This instance has been cut off for too long to answer by what it knew."
            refusal = outcome_refusal(OutcomeCode.SNAPSHOT_EXPIRED, message, retry_after=5)
            raise RefusedError(refusal)
        return snapshot

    def _take_quota_at_once(self, caller: Caller) -> bool:
        """Nearly every call: its slots are leased already, so nothing can change under it."""
        installation = caller.installation
        return installation is not None and self._quotas.take_at_once(
            installation.id, caller.limits
        )

    async def _take_quota(self, caller: Caller) -> None:
        installation = caller.installation
        if installation is None:
            _refuse_unroutable(_decide(caller), caller)
            raise RefusedError(_disabled(caller))
        excess = await self._quotas.take(installation.id, caller.limits)
        if excess is not None:
            self._windows.reject(caller.shard.name)
            who = f"{caller.shard.name} of {caller.tenant.slug}"
            raise RefusedError(quota_refusal(excess, who))

    async def _run_or_pass(
        self, request: Request, caller: Caller, invocation: Invocation
    ) -> Answer:
        """Routed and begun without a wait in between, so that nothing is unloaded under it."""
        decision = _decide(caller)
        _refuse_unroutable(decision, caller)
        version_id = decision.version_id or ""
        _refuse_revoked(version_id, caller)
        loaded = self._hosting.ready.get(version_id)
        if loaded is not None:
            return await self._run(request, caller, invocation, loaded, None)
        answer = await self._forwarding.pass_on(request, caller, invocation, version_id)
        if answer is not None:
            return answer
        fact = caller.shard.versions.get(version_id)
        name = f"{caller.shard.name} {fact.version}" if fact else caller.shard.name
        raise not_ready(f"{name} is not loaded at any instance that can be reached now.")

    def _refresh(self, caller: Caller, request: Request) -> Caller:
        """The newest rows: while the call waited for its quota, the snapshot may have moved on."""
        snapshot = self._snapshot()
        request.generation = snapshot.generation
        shard = snapshot.shards.get(caller.shard.id)
        if shard is None or shard is caller.shard:
            return caller
        installation = shard.installations.get(caller.tenant.id)
        return Caller(
            caller.tenant,
            shard,
            installation,
            caller.limits,
            caller.principal,
            caller.expires_at,
        )

    async def _run(
        self,
        request: Request,
        caller: Caller,
        invocation: Invocation,
        loaded: LoadedVersion,
        passed: PassedCall | None,
    ) -> Answer:
        planned = self._plan(request, caller, invocation, loaded, passed)
        loaded.begin()
        try:
            outcome = await loaded.pool.call(planned.attached.attachment, planned.call)
        finally:
            loaded.finish()
        outcome = _checked(outcome, planned.method)
        seconds = time.monotonic() - request.received
        self._windows.count(loaded.fact, caller.tenant.id, outcome.code, seconds)
        if outcome.result is not None:
            answer = answer_result(outcome.result)
        else:
            answer = answer_outcome(outcome, request.trace_id)
        answer.headers.append(loaded.version_header)
        return answer

    def _plan(
        self,
        request: Request,
        caller: Caller,
        invocation: Invocation,
        loaded: LoadedVersion,
        passed: PassedCall | None,
    ) -> Planned:
        method = _method_of(loaded, invocation)
        attached = self._attach(caller, loaded)
        seconds = passed.seconds if passed else method.timeout_seconds + QUEUE_SECONDS
        call = Call(
            method=method.name,
            parameters=orjson.dumps(invocation.parameters),
            call_id=request.request_id,
            deadline=request.received + seconds,
            traceparent=request.traceparent,
            wall_seconds=method.timeout_seconds,
        )
        return Planned(loaded, method, attached, call)

    def _attach(self, caller: Caller, loaded: LoadedVersion) -> Attached:
        installation = caller.installation
        if installation is None:
            raise RefusedError(_disabled(caller))
        sealed = caller.shard.sealed.get(installation.id)
        if not has_current_seal(installation, sealed):
            raise not_ready("The installation's secrets have not reached this instance yet.")
        attached = loaded.attach(installation, sealed, self._knowledge.identity)
        if attached.problems:
            path, message = attached.problems[0]
            name = f"{loaded.fact.plugin} {loaded.fact.version}"
            text = f"The configuration does not fit {name}: {path or 'config'} {message}."
            raise RefusedError(outcome_refusal(OutcomeCode.CONFIG_INVALID, text))
        return attached

    def _add_headers(self, answer: Answer, request: Request) -> None:
        answer.headers.append(
            _HEADERS % (request.generation, request.request_id.encode(), request.trace_id.encode())
        )
        stale = self._knowledge.stale_seconds()
        if stale:
            answer.headers.append(header(b"x-hotswap-stale", b"%d" % stale))


def _decide(caller: Caller) -> Decision:
    return caller.settled or choose_version(
        caller.shard, caller.tenant.id, caller.installation, time.time()
    )


def _checked(outcome: Outcome, method: Method) -> Outcome:
    """An answer that its own schema refuses is the plugin's failure."""
    if method.output is None or outcome.result is None:
        return outcome
    problems = method.output.validate(orjson.loads(outcome.result))
    if not problems:
        return outcome
    path, message = problems[0]
    return Outcome(
        OutcomeCode.PLUGIN_ERROR,
        message=f"{method.name} answered what its output_schema refuses: {path} {message}".strip(),
        wall_seconds=outcome.wall_seconds,
        started=True,
        logs=outcome.logs,
        metrics=outcome.metrics,
    )


def _method_of(loaded: LoadedVersion, invocation: Invocation) -> Method:
    """The method with parameters that fit it, or a 400 that names what does not."""
    method = loaded.methods.get(invocation.method)
    if method is None:
        known = ", ".join(sorted(loaded.methods))
        problem = f"{loaded.fact.plugin} {loaded.fact.version} has the methods: {known}"
        message = f"There is no method {invocation.method[:60]!r}: {problem}."
        raise refuse_input(message, {"method": [problem]})
    if method.input.is_valid(invocation.parameters):
        return method
    fields: dict[str, list[str]] = {}
    for path, problem in method.input.validate(invocation.parameters):
        fields.setdefault(f"parameters.{path}" if path else "parameters", []).append(problem)
    name, problems = next(iter(fields.items()))
    raise refuse_input(f"{name}: {problems[0]}", fields)


def _refuse_unroutable(decision: Decision, caller: Caller) -> None:
    if decision.rule is Rule.KILLED:
        message = f"{caller.shard.name} is switched off here by an Admin."
        raise RefusedError(outcome_refusal(OutcomeCode.PLUGIN_DISABLED, message))
    if decision.rule is Rule.DISABLED:
        raise RefusedError(_disabled(caller))
    if decision.rule is Rule.UNDEPLOYED:
        raise not_ready(f"No version of {caller.shard.name} is deployed here yet.")


def _refuse_revoked(version_id: str, caller: Caller) -> None:
    fact = caller.shard.versions.get(version_id)
    if fact is not None and fact.status == REVOKED:
        message = f"{caller.shard.name} {fact.version} is revoked: deploy or pin another version."
        raise RefusedError(outcome_refusal(OutcomeCode.VERSION_REVOKED, message))


def _disabled(caller: Caller) -> Refusal:
    message = (
        f"{caller.shard.name} is not enabled for {caller.tenant.slug}: enable it, then call again."
    )
    return outcome_refusal(OutcomeCode.PLUGIN_DISABLED, message)
