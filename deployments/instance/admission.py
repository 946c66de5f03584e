"""From a request to who calls what: authenticated, allowed, installed. Kept until a row changes."""

import hashlib
import time
from dataclasses import dataclass

from deployments.instance.answers import outcome_refusal
from deployments.instance.authentication import Authenticator
from deployments.instance.facts import InstallationFact, Shard, Snapshot, TenantFact
from deployments.instance.leases import Limits
from deployments.instance.passing import PassedCall
from deployments.instance.refusals import RefusedError, refuse
from deployments.instance.requests import Request, split_path
from deployments.routing import Decision, choose_version
from sandbox.engine.result import OutcomeCode

MAX_REMEMBERED = 20_000
UNKNOWN_PATH = "There is nothing here: POST to /api/v1/tenants/{tenant}/plugins/{plugin}/invoke."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a call is for, by the snapshot. ``expires_at``: of the credential, Unix time."""

    tenant: TenantFact
    shard: Shard
    installation: InstallationFact | None
    limits: Limits
    principal: str
    expires_at: float
    settled: Decision | None = None


class Admission:
    """Looks a request up in one snapshot. Answers are kept by path and digest of the credential."""

    def __init__(self, authenticator: Authenticator, default_limits: Limits) -> None:
        self._authenticator = authenticator
        self._default = default_limits
        self._snapshot: Snapshot | None = None
        self._remembered: dict[tuple[str, bytes], Caller] = {}

    def admit(self, request: Request, snapshot: Snapshot) -> Caller:
        """Raises ``RefusedError``: 401, 403, 404."""
        if snapshot is not self._snapshot or len(self._remembered) > MAX_REMEMBERED:
            self._snapshot, self._remembered = snapshot, {}
        key = (request.path, hashlib.sha256(request.authorization).digest())
        known = self._remembered.get(key)
        now = time.time()
        if known is not None and now < known.expires_at:
            return known
        caller = self._look_up(request, snapshot, now)
        self._remembered[key] = caller
        return caller

    def admit_passed(self, call: PassedCall, snapshot: Snapshot) -> Caller:
        """For a call that a peer has admitted: its rights were checked there."""
        tenant = snapshot.credentials.tenants.get(call.tenant_id)
        shard = snapshot.shards.get(call.plugin_id)
        if tenant is None or shard is None:
            raise not_ready("This instance does not know the tenant or the plugin yet.")
        return self._caller(tenant, shard, call.principal, call.expires_at)

    def _look_up(self, request: Request, snapshot: Snapshot, now: float) -> Caller:
        names = split_path(request.path)
        if names is None:
            raise refuse(404, "not_found", UNKNOWN_PATH)
        slug, plugin = names
        known = snapshot.credentials
        principal = self._authenticator.authenticate(request.authorization, known, now)
        tenant = known.tenant_by_slug.get(slug)
        if tenant is None or not principal.may_call_for(tenant):
            raise refuse(404, "not_found", f"There is no tenant {slug[:60]} for you.")
        if not tenant.is_active:
            message = f"{slug} is suspended: an Admin can resume it."
            raise refuse(403, "tenant_suspended", message)
        shard = snapshot.shard_by_name.get(plugin)
        if shard is None:
            place = snapshot.environment.name
            message = f"No plugin {plugin[:60]} is installed or deployed in {place}."
            raise refuse(404, "not_found", message)
        return self._caller(tenant, shard, principal.name, principal.expires_at)

    def _caller(
        self, tenant: TenantFact, shard: Shard, principal: str, expires_at: float
    ) -> Caller:
        installation = shard.installations.get(tenant.id)
        limits = self._limits_of(installation)
        settled = _settle(tenant, shard, installation)
        return Caller(tenant, shard, installation, limits, principal, expires_at, settled)

    def _limits_of(self, installation: InstallationFact | None) -> Limits:
        if installation is None:
            return self._default
        rate, concurrency = installation.requests_per_minute, installation.concurrency
        return Limits(
            self._default.requests_per_minute if rate is None else rate,
            self._default.concurrency if concurrency is None else concurrency,
        )


def _settle(
    tenant: TenantFact, shard: Shard, installation: InstallationFact | None
) -> Decision | None:
    """The version that serves the tenant by these rows; None where it depends on the time."""
    if installation is not None and installation.pin_expires_at is not None:
        return None
    return choose_version(shard, tenant.id, installation, time.time())


def not_ready(message: str) -> RefusedError:
    return RefusedError(outcome_refusal(OutcomeCode.NOT_READY, message, retry_after=1))
