"""What an instance knows, as immutable values. Ids are text, times Unix seconds.

The values are also what the snapshot file holds, so their fields are plain JSON or base64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from deployments.placements import Desired, desired_placements
from deployments.routing import is_pinned

REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class EnvironmentFact:
    id: int
    name: str
    requires_approved_versions: bool


@dataclass(frozen=True, slots=True)
class VersionFact:
    id: str
    plugin_id: str
    plugin: str
    version: str
    status: str
    artifact_digest: str
    manifest: Mapping[str, Any]
    manifest_digest: str
    lock_digest: str
    approval: Mapping[str, Any] | None
    approval_signature: str
    # The packages of its lock as they were digested; believed only once the digest was compared.
    lock_packages: Sequence[Mapping[str, Any]] = field(default_factory=list)
    # The publisher's envelope, and the key that the row says it was made with.
    signature: Mapping[str, Any] | None = None
    publisher_key_id: str = ""
    publisher_key: str = ""
    is_publisher_key_revoked: bool = False


@dataclass(frozen=True, slots=True)
class RouteFact:
    plugin_id: str
    plugin: str
    is_active: bool
    is_killed: bool
    stable_id: str | None
    candidate_id: str | None
    deployment_id: str | None
    candidate_spares: int
    warm_id: str | None
    warm_until: float | None


@dataclass(frozen=True, slots=True)
class InstallationFact:
    id: str
    tenant_id: str
    plugin_id: str
    is_enabled: bool
    config: Mapping[str, Any]
    epoch: int
    pinned_version_id: str | None
    pin_expires_at: float | None
    requests_per_minute: int | None
    concurrency: int | None
    has_secrets: bool


@dataclass(frozen=True, slots=True)
class AdmissionFact:
    id: str
    deployment_id: str
    tenant_id: str
    plugin_id: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class HoldFact:
    id: str
    tenant_id: str
    plugin_id: str
    version_id: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class SealedFact:
    """An installation's secrets, sealed to this instance. Only ciphertext."""

    installation_id: str
    epoch: int
    public_key: str
    ciphertext: str


@dataclass(frozen=True, slots=True)
class TenantFact:
    id: str
    slug: str
    is_active: bool
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class MemberFact:
    id: int
    tenant_id: str
    user_id: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class UserFact:
    id: int
    is_active: bool
    is_admin: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class KeyFact:
    id: str
    digest: str
    tenant_id: str | None
    user_id: int | None
    scopes: tuple[str, ...]
    expires_at: float
    is_revoked: bool


@dataclass(frozen=True)
class Shard:
    """Everything of one plugin. A change makes a new one; ``choose_version`` reads it as it is."""

    id: str
    name: str
    route: RouteFact | None = None
    installations: Mapping[str, InstallationFact] = field(default_factory=dict)
    admissions: Mapping[str, AdmissionFact] = field(default_factory=dict)
    open_holds: Mapping[str, HoldFact] = field(default_factory=dict)
    sealed: Mapping[str, SealedFact] = field(default_factory=dict)
    versions: Mapping[str, VersionFact] = field(default_factory=dict)

    @property
    def is_killed(self) -> bool:
        return self.route is not None and self.route.is_killed

    @property
    def is_active(self) -> bool:
        return self.route is None or self.route.is_active

    @property
    def stable_id(self) -> str | None:
        return self.route.stable_id if self.route else None

    @property
    def candidate_id(self) -> str | None:
        return self.route.candidate_id if self.route else None

    @cached_property
    def admitted(self) -> frozenset[str]:
        """Tenants that the deployment under way serves with its candidate."""
        deployment = self.route.deployment_id if self.route else None
        rows = self.admissions.values()
        return frozenset(row.tenant_id for row in rows if row.deployment_id == deployment)

    @cached_property
    def holds(self) -> Mapping[str, str]:
        """Tenant to the version that it is held at."""
        return {row.tenant_id: row.version_id for row in self.open_holds.values()}

    def desired(self, now: float) -> Mapping[str, Desired]:
        """The versions to keep loaded. A revoked one is not among them, whoever names it."""
        installed = [row for row in self.installations.values() if row.is_enabled]
        pins = {row.pinned_version_id or "" for row in installed if is_pinned(row, now)}
        tenants = {row.tenant_id for row in installed}
        holds = {version for tenant, version in self.holds.items() if tenant in tenants}
        wanted = desired_placements(self.route, pins, holds, now)
        return {key: each for key, each in wanted.items() if self.is_usable(key)}

    def next_change(self, now: float) -> float:
        """When a pin or a warm version runs out next, if no row changes before."""
        times = [row.pin_expires_at for row in self.installations.values()]
        times += [self.route.warm_until if self.route else None]
        return min((at for at in times if at is not None and at > now), default=float("inf"))

    def is_usable(self, version_id: str) -> bool:
        version = self.versions.get(version_id)
        return version is not None and version.status != REVOKED

    def referenced_versions(self) -> set[str]:
        """Every version that a row names, whether its time has passed or not."""
        named = {row.pinned_version_id for row in self.installations.values()}
        named |= {row.version_id for row in self.open_holds.values()}
        if self.route:
            named |= {self.route.stable_id, self.route.candidate_id, self.route.warm_id}
        return {version for version in named if version}


@dataclass(frozen=True)
class Credentials:
    """Who may call: looked up by digest, id and slug."""

    number: int = -1
    tenants: Mapping[str, TenantFact] = field(default_factory=dict)
    members: Mapping[int, MemberFact] = field(default_factory=dict)
    users: Mapping[int, UserFact] = field(default_factory=dict)
    keys: Mapping[str, KeyFact] = field(default_factory=dict)

    @cached_property
    def tenant_by_slug(self) -> Mapping[str, TenantFact]:
        return {row.slug: row for row in self.tenants.values() if not row.is_deleted}

    @cached_property
    def tenants_of_user(self) -> Mapping[int, frozenset[str]]:
        found: dict[int, set[str]] = {}
        for member in self.members.values():
            found.setdefault(member.user_id, set()).add(member.tenant_id)
        return {user: frozenset(tenants) for user, tenants in found.items()}


@dataclass(frozen=True)
class Snapshot:
    """One consistent state of the rows; the instance swaps the reference to it, nothing else."""

    environment: EnvironmentFact
    generation: int = -1
    shards: Mapping[str, Shard] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)

    @cached_property
    def shard_by_name(self) -> Mapping[str, Shard]:
        return {shard.name: shard for shard in self.shards.values()}
