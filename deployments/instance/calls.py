"""The life of a call: admit, quota, route, pass on or run, answer, count."""

import time

import structlog

from deployments.instance.admission import Admission, Caller, not_ready
from deployments.instance.answers import (
    Answer,
    answer_internal_error,
    answer_outcome,
    answer_refusal,
    answer_result,
    outcome_refusal,
    quota_refusal,
)
from deployments.instance.exchange import Respond
from deployments.instance.facts import Snapshot
from deployments.instance.forwarding import Forwarding
from deployments.instance.hosting import Hosting
from deployments.instance.knowledge import Knowledge
from deployments.instance.planning import (
    Planned,
    Planner,
    checked,
    decide,
    disabled,
    refuse_revoked,
    refuse_unroutable,
)
from deployments.instance.quotas import Quotas
from deployments.instance.refusals import RefusedError, header
from deployments.instance.requests import Invocation, Request, read_body
from deployments.instance.windows import Windows
from hotswap.lib.sealing import SealBrokenError
from sandbox.engine.result import Outcome, OutcomeCode

logger = structlog.get_logger(__name__)

_HEADERS = b"x-hotswap-generation: %d\r\nx-request-id: %b\r\nx-hotswap-trace-id: %b\r\n"


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
        self._planner = Planner(knowledge.identity)

    def begin(self, request: Request, respond: Respond) -> bool:
        """Start a call that has to wait for nothing but its process, as nearly every one.

        ``respond`` gets its answer, without a task or a turn of the loop in between. False: nothing
        was done, and ``answer`` is to be awaited.
        """
        try:
            running = self._prepare(request, respond)
        except (RefusedError, SealBrokenError) as error:
            respond(self._refused(request, error))
            return True
        if running is None:
            return False
        planned = running.planned
        planned.loaded.begin()
        planned.loaded.pool.submit(planned.attached.attachment, planned.call, running)
        return True

    def _prepare(self, request: Request, respond: Respond) -> "Running | None":
        snapshot = self._snapshot()
        request.generation = snapshot.generation
        if request.passed is not None:
            planned = self._plan_passed(request, request.passed, snapshot)
            return Running(self, request, planned, respond, has_quota=False)
        caller = self._admission.admit(request, snapshot)
        invocation = read_body(request.body)
        if not self._take_quota_at_once(caller):
            return None
        try:
            planned_here = self._plan_here(request, caller, invocation)
        except BaseException:
            self._release_quota(caller)
            raise
        if planned_here is None:
            self._release_quota(caller)
            return None
        return Running(self, request, planned_here, respond, has_quota=True)

    def conclude(self, request: Request, planned: Planned, outcome: Outcome) -> Answer:
        """Count what came of the call, and say it."""
        loaded = planned.loaded
        outcome = checked(outcome, planned.method)
        seconds = time.monotonic() - request.received
        self._windows.count(loaded.fact, planned.caller.tenant.id, outcome.code, seconds)
        if outcome.result is not None:
            answer = answer_result(outcome.result)
        else:
            answer = answer_outcome(outcome, request.trace_id)
        answer.headers.append(loaded.version_header)
        return answer

    def finish(self, request: Request, planned: Planned, outcome: Outcome, quota: bool) -> Answer:
        """The end of a call that ``begin`` started."""
        planned.loaded.pool.settled()
        planned.loaded.finish()
        if quota:
            self._release_quota(planned.caller)
        answer = self.conclude(request, planned, outcome)
        self._add_headers(answer, request)
        return answer

    async def answer(self, request: Request) -> Answer:
        """One call, whatever becomes of it."""
        try:
            answer = await self._answer(request)
        except (RefusedError, SealBrokenError) as error:
            return self._refused(request, error)
        self._add_headers(answer, request)
        return answer

    def _refused(self, request: Request, error: RefusedError | SealBrokenError) -> Answer:
        if isinstance(error, RefusedError):
            refusal = error.refusal
        else:
            logger.warning("secret_unreadable", error=error.message, path=request.path)
            refusal = not_ready("The secrets for this call cannot be opened here.").refusal
        answer = answer_refusal(refusal, request.trace_id)
        self._add_headers(answer, request)
        return answer

    async def _answer(self, request: Request) -> Answer:
        snapshot = self._snapshot()
        request.generation = snapshot.generation
        caller = self._admission.admit(request, snapshot)
        invocation = read_body(request.body)
        if not self._take_quota_at_once(caller):
            await self._take_quota(caller)
            caller = self._refresh(caller, request)
        try:
            return await self._run_or_pass(request, caller, invocation)
        finally:
            self._release_quota(caller)

    def _plan_passed(self, request: Request, signed: bytes, snapshot: Snapshot) -> Planned:
        """The sender has admitted it and took the quota; it is not passed a second time."""
        passed = self._forwarding.accept(signed, request)
        caller = self._admission.admit_passed(passed, snapshot)
        loaded = self._hosting.ready.get(passed.version_id)
        refuse_unroutable(decide(caller), caller)
        if loaded is None:
            raise not_ready(f"{caller.shard.name} is no longer ready at this instance.")
        return self._planner.plan(request, caller, read_body(request.body), loaded, passed)

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
            refuse_unroutable(decide(caller), caller)
            raise RefusedError(disabled(caller))
        excess = await self._quotas.take(installation.id, caller.limits)
        if excess is not None:
            self._windows.reject(caller.shard.name)
            who = f"{caller.shard.name} of {caller.tenant.slug}"
            raise RefusedError(quota_refusal(excess, who))

    def _release_quota(self, caller: Caller) -> None:
        if caller.installation is not None:
            self._quotas.release(caller.installation.id)

    def _plan_here(
        self, request: Request, caller: Caller, invocation: Invocation
    ) -> Planned | None:
        """By the version that serves the tenant; None where that is not loaded here."""
        decision = decide(caller)
        refuse_unroutable(decision, caller)
        version_id = decision.version_id or ""
        refuse_revoked(version_id, caller)
        loaded = self._hosting.ready.get(version_id)
        if loaded is None:
            return None
        return self._planner.plan(request, caller, invocation, loaded, None)

    async def _run_or_pass(
        self, request: Request, caller: Caller, invocation: Invocation
    ) -> Answer:
        """Routed and begun without a wait in between, so that nothing is unloaded under it."""
        planned = self._plan_here(request, caller, invocation)
        if planned is not None:
            return await self._run(request, planned)
        version_id = decide(caller).version_id or ""
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

    async def _run(self, request: Request, planned: Planned) -> Answer:
        planned.loaded.begin()
        try:
            outcome = await planned.loaded.pool.call(planned.attached.attachment, planned.call)
        finally:
            planned.loaded.finish()
        return self.conclude(request, planned, outcome)

    def _add_headers(self, answer: Answer, request: Request) -> None:
        answer.headers.append(
            _HEADERS % (request.generation, request.request_id.encode(), request.trace_id.encode())
        )
        stale = self._knowledge.stale_seconds()
        if stale:
            answer.headers.append(header(b"x-hotswap-stale", b"%d" % stale))


class Running:
    """A call in a process that answers by itself when the outcome comes."""

    __slots__ = ("_calls", "_has_quota", "_is_done", "_request", "_respond", "planned")

    def __init__(
        self, calls: Calls, request: Request, planned: Planned, respond: Respond, *, has_quota: bool
    ) -> None:
        self.planned = planned
        self._calls = calls
        self._request = request
        self._respond = respond
        self._has_quota = has_quota
        self._is_done = False

    def done(self) -> bool:
        """Whether it was answered."""
        return self._is_done

    def set_result(self, result: Outcome, /) -> None:
        """Answer, whatever happens: the process of the call must not suffer for our defects."""
        self._is_done = True
        try:
            answer = self._calls.finish(self._request, self.planned, result, self._has_quota)
        except Exception:
            logger.exception("call_broke", path=self._request.path)
            answer = answer_internal_error(self._request.trace_id)
            answer.started = True
        self._respond(answer)
