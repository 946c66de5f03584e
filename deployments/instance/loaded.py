"""A version that runs here: what a call of it needs, made once when it is loaded."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from deployments.instance.facts import InstallationFact, SealedFact, VersionFact
from deployments.instance.identity import Identity
from deployments.instance.refusals import header
from deployments.instance.unsealing import open_secrets
from plugins.manifest_types import Manifest, MethodSpec
from plugins.schemas import Validator, compile_schema
from sandbox.engine.pool import VersionPool
from sandbox.engine.spec import Attachment

ANYTHING: tuple[object, ...] = ({}, True)


@dataclass(frozen=True, slots=True)
class Method:
    """``output`` None: any result will do."""

    name: str
    timeout_seconds: float
    idempotent: bool
    input: Validator
    output: Validator | None


@dataclass(frozen=True, slots=True)
class Attached:
    """What an installation gives to its processes, or why the version cannot take it."""

    installation: InstallationFact
    sealed: SealedFact | None
    attachment: Attachment
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class LoadedVersion:
    fact: VersionFact
    manifest: Manifest
    methods: Mapping[str, Method]
    config: Validator
    pool: VersionPool
    attestation: Mapping[str, object] = field(default_factory=dict)
    load_seconds: float = 0.0
    in_flight: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    attached: dict[str, Attached] = field(default_factory=dict)
    version_header: bytes = b""

    def __post_init__(self) -> None:
        self.version_header = header(b"x-hotswap-version", self.fact.version.encode())

    def begin(self) -> None:
        """A call will run here: it is not unloaded before ``finish``."""
        self.in_flight += 1

    def finish(self) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self.quiet.set()

    async def wait_quiet(self) -> None:
        """Until no call runs; the caller has seen to it that none begins."""
        while self.in_flight:
            self.quiet.clear()
            await self.quiet.wait()

    def attach(
        self, installation: InstallationFact, sealed: SealedFact | None, identity: Identity
    ) -> Attached:
        """Remembered until the installation's row or its secrets change."""
        known = self.attached.get(installation.id)
        if known and known.installation is installation and known.sealed is sealed:
            return known
        fresh = self._attach(installation, sealed, identity)
        self.attached[installation.id] = fresh
        return fresh

    def _attach(
        self, installation: InstallationFact, sealed: SealedFact | None, identity: Identity
    ) -> Attached:
        given = {name for name, spec in self.manifest.secrets.items() if spec.mode == "value"}
        values = open_secrets(identity, installation, sealed) if given else {}
        attachment = Attachment(
            tenant_id=installation.tenant_id,
            installation_id=installation.id,
            config=orjson.dumps(installation.config),
            secrets={name: value for name, value in values.items() if name in given},
            epoch=installation.epoch,
        )
        problems = tuple(self.config.validate(installation.config))
        return Attached(installation, sealed, attachment, problems)

    async def release(self, installation_id: str) -> None:
        """The installation is off: nothing of its tenant stays in a process or in memory."""
        known = self.attached.pop(installation_id, None)
        if known is not None:
            await self.pool.release_tenant(known.installation.tenant_id)


def methods_of(manifest: Manifest) -> dict[str, Method]:
    return {name: _method(name, spec) for name, spec in manifest.methods.items()}


def _method(name: str, spec: MethodSpec) -> Method:
    return Method(
        name=name,
        timeout_seconds=spec.timeout_seconds,
        idempotent=spec.idempotent,
        input=compile_schema(spec.input_schema, f"methods.{name}.input_schema"),
        output=None
        if spec.output_schema in ANYTHING
        else compile_schema(spec.output_schema, f"methods.{name}.output_schema"),
    )
