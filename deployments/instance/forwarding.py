"""Sends a call to a peer when its version is not ready here, and takes those that peers send."""

import time
from collections.abc import Mapping
from typing import Any

from deployments.instance.admission import Caller
from deployments.instance.answers import Answer
from deployments.instance.facts import VersionFact
from deployments.instance.knowledge import Knowledge
from deployments.instance.passing import (
    HEADER,
    VALID_SECONDS,
    PassedCall,
    Passing,
    PassRefusedError,
    PeerAnswer,
    PeerLostError,
    PeerUnreachableError,
    digest_of,
    new_nonce,
    send,
)
from deployments.instance.refusals import header, refuse
from deployments.instance.requests import Invocation, Request

QUEUE_SECONDS = 15.0
LONGEST_SECONDS = 300.0
ANSWER_GRACE_SECONDS = 5.0
NOT_STARTED = (b"x-hotswap-started", b"0")
# The receiver adds these; the first instance adds its own.
_ADDED_HERE = frozenset({b"x-request-id", b"x-hotswap-generation", b"x-hotswap-trace-id"})


class Forwarding:
    """``passing`` signs and verifies; this decides where a call goes, and whether again."""

    def __init__(self, knowledge: Knowledge, passing: Passing) -> None:
        self._knowledge = knowledge
        self._passing = passing

    def accept(self, signed: bytes, request: Request) -> PassedCall:
        """The call that a peer passed on here; 403 for anything else with that header."""
        try:
            return self._passing.verify(signed, request.path, request.body)
        except PassRefusedError as error:
            raise refuse(403, error.code, f"The call was not passed on: {error.message}.") from None

    async def pass_on(
        self, request: Request, caller: Caller, invocation: Invocation, version_id: str
    ) -> Answer | None:
        """A peer's answer; None when no peer with the version could be given the call."""
        spec = _method_spec(caller.shard.versions.get(version_id), invocation.method)
        timeout = float(spec.get("timeout_seconds", LONGEST_SECONDS))
        ends_at = request.received + timeout + QUEUE_SECONDS
        for peer in self._passing.peers_with(version_id):
            seconds = ends_at - time.monotonic()
            if seconds <= 0:
                break
            call = self._describe(request, caller, version_id, peer.id, seconds)
            headers = [
                (HEADER, self._passing.sign(call, peer)),
                (b"content-type", b"application/json"),
                (b"x-request-id", request.request_id.encode()),
            ]
            if request.traceparent:
                headers.append((b"traceparent", request.traceparent.encode()))
            try:
                allowed = seconds + ANSWER_GRACE_SECONDS
                answer = await send(peer, request.path, headers, request.body, allowed)
            except PeerUnreachableError:
                continue
            except PeerLostError as error:
                if not spec.get("idempotent"):
                    raise _lost(peer.name, caller) from error
                continue
            if not _is_turned_away(answer):
                return _as_own(answer)
        return None

    def _describe(
        self, request: Request, caller: Caller, version_id: str, receiver: str, seconds: float
    ) -> PassedCall:
        snapshot = self._knowledge.snapshot
        return PassedCall(
            sender=self._knowledge.identity.id,
            receiver=receiver,
            expires_at=time.time() + VALID_SECONDS,
            nonce=new_nonce(),
            body_digest=digest_of(request.body),
            path=request.path,
            principal=caller.principal,
            tenant_id=caller.tenant.id,
            plugin_id=caller.shard.id,
            version_id=version_id,
            generation=snapshot.generation if snapshot else 0,
            seconds=seconds,
        )


def _method_spec(version: VersionFact | None, method: str) -> Mapping[str, Any]:
    if version is None:
        return {}
    spec: Mapping[str, Any] = version.manifest.get("methods", {}).get(method, {})
    return spec


def _is_turned_away(answer: PeerAnswer) -> bool:
    """The peer could not run it either and says that it did not start it."""
    return answer.status == 503 and NOT_STARTED in answer.headers


def _as_own(answer: PeerAnswer) -> Answer:
    headers = [pair for pair in answer.headers if pair[0] not in _ADDED_HERE]
    started = NOT_STARTED not in headers
    return Answer(
        answer.status,
        answer.body,
        [header(*pair) for pair in headers if pair != NOT_STARTED],
        started,
    )


def _lost(name: str, caller: Caller) -> Exception:
    return refuse(
        502,
        "instance_lost",
        f"Instance {name}, which ran this call of {caller.shard.name}, went away. The call may "
        "have taken effect; its method is not declared idempotent, so it was not sent again.",
    )
