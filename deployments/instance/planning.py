"""From a caller and a loaded version to a call that can run, or the refusal that says why not."""

import time
from dataclasses import dataclass

import orjson

from deployments.instance.admission import Caller, not_ready
from deployments.instance.answers import outcome_refusal
from deployments.instance.facts import REVOKED
from deployments.instance.forwarding import QUEUE_SECONDS
from deployments.instance.identity import Identity
from deployments.instance.loaded import Attached, LoadedVersion, Method
from deployments.instance.passing import PassedCall
from deployments.instance.refusals import Refusal, RefusedError, refuse_input
from deployments.instance.requests import Invocation, Request
from deployments.instance.unsealing import has_current_seal
from deployments.routing import Decision, Rule, choose_version
from sandbox.engine.result import Outcome, OutcomeCode
from sandbox.engine.spec import Call


@dataclass(slots=True)
class Planned:
    """A call that will run here. From its making until ``finish`` the version stays loaded."""

    caller: Caller
    loaded: LoadedVersion
    method: Method
    attached: Attached
    call: Call


class Planner:
    """Makes calls for the processes of this instance."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def plan(
        self,
        request: Request,
        caller: Caller,
        invocation: Invocation,
        loaded: LoadedVersion,
        passed: PassedCall | None,
    ) -> Planned:
        """``passed``: by a peer, which has counted the time until now. Raises ``RefusedError``."""
        method = method_of(loaded, invocation)
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
        return Planned(caller, loaded, method, attached, call)

    def _attach(self, caller: Caller, loaded: LoadedVersion) -> Attached:
        installation = caller.installation
        if installation is None:
            raise RefusedError(disabled(caller))
        sealed = caller.shard.sealed.get(installation.id)
        if not has_current_seal(installation, sealed):
            raise not_ready("The installation's secrets have not reached this instance yet.")
        attached = loaded.attach(installation, sealed, self._identity)
        if attached.problems:
            path, message = attached.problems[0]
            name = f"{loaded.fact.plugin} {loaded.fact.version}"
            text = f"The configuration does not fit {name}: {path or 'config'} {message}."
            raise RefusedError(outcome_refusal(OutcomeCode.CONFIG_INVALID, text))
        return attached


def decide(caller: Caller) -> Decision:
    """Which version serves the caller now."""
    return caller.settled or choose_version(
        caller.shard, caller.tenant.id, caller.installation, time.time()
    )


def checked(outcome: Outcome, method: Method) -> Outcome:
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


def method_of(loaded: LoadedVersion, invocation: Invocation) -> Method:
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


def refuse_unroutable(decision: Decision, caller: Caller) -> None:
    """Raises ``RefusedError`` where the decision names no version."""
    if decision.rule is Rule.KILLED:
        message = f"{caller.shard.name} is switched off here by an Admin."
        raise RefusedError(outcome_refusal(OutcomeCode.PLUGIN_DISABLED, message))
    if decision.rule is Rule.DISABLED:
        raise RefusedError(disabled(caller))
    if decision.rule is Rule.UNDEPLOYED:
        raise not_ready(f"No version of {caller.shard.name} is deployed here yet.")


def refuse_revoked(version_id: str, caller: Caller) -> None:
    """Raises ``RefusedError``: it must not run, wherever the routes point."""
    fact = caller.shard.versions.get(version_id)
    if fact is not None and fact.status == REVOKED:
        message = f"{caller.shard.name} {fact.version} is revoked: deploy or pin another version."
        raise RefusedError(outcome_refusal(OutcomeCode.VERSION_REVOKED, message))


def disabled(caller: Caller) -> Refusal:
    message = (
        f"{caller.shard.name} is not enabled for {caller.tenant.slug}: enable it, then call again."
    )
    return outcome_refusal(OutcomeCode.PLUGIN_DISABLED, message)
