"""Takes a version from its row to a pool with a loaded process. What blocks runs in a thread."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deployments.instance.facts import VersionFact
from deployments.instance.loaded import LoadedVersion, Method, methods_of
from deployments.instance.vetting import vet_version
from plugins.layers import LayerCache
from plugins.locks import LockRefusedError, verify_lock
from plugins.manifest_types import Manifest
from plugins.schemas import Validator, compile_schema
from sandbox.engine.attestation import Attestation
from sandbox.engine.budget import ProcessBudget
from sandbox.engine.jail import JailSettings
from sandbox.engine.pool import VersionPool
from sandbox.engine.result import LoadFailed
from sandbox.engine.spec import Limits, PluginSpec

Fetch = Callable[[str, Path], None]
OnState = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known of a version before its first process."""

    manifest: Manifest
    methods: dict[str, Method]
    config: Validator
    spec: PluginSpec


class Loader:
    """``fetch(digest, path)`` brings an artifact; ``keys`` are read anew for every version.

    ``wheels`` are the layers of dependencies, which hold to other bounds than artifacts.
    """

    def __init__(
        self,
        *,
        layers: LayerCache,
        wheels: LayerCache,
        fetch: Fetch,
        keys: Callable[[], Sequence[Ed25519PublicKey]],
        jail: JailSettings,
        budget: ProcessBudget,
    ) -> None:
        self._layers = layers
        self._wheels = wheels
        self._fetch = fetch
        self._keys = keys
        self._jail = jail
        self._budget = budget

    async def load(
        self, version: VersionFact, *, approved_only: bool, spares: int, on_state: OnState
    ) -> LoadedVersion:
        """Verified, unpacked, started and well. HotSwapError or LoadFailed say why not."""
        began = time.monotonic()
        on_state("fetching")
        prepared = await asyncio.to_thread(self._prepare, version, approved_only)
        on_state("starting")
        pool = VersionPool(
            prepared.spec,
            self._jail,
            processes_per_tenant=prepared.manifest.resources.processes,
            budget=self._budget,
            spares=spares,
        )
        try:
            attestation = await pool.start()
            await _check_health(pool)
        except BaseException:
            await asyncio.shield(pool.stop())
            raise
        return LoadedVersion(
            version,
            prepared.manifest,
            prepared.methods,
            prepared.config,
            pool,
            describe_attestation(attestation),
            time.monotonic() - began,
        )

    def _prepare(self, version: VersionFact, approved_only: bool) -> Prepared:
        manifest = vet_version(version, self._keys(), approved_only=approved_only)
        layers = (
            _ensure(self._layers, version.artifact_digest, self._fetch),
            *self._dependencies(version, manifest),
        )
        config = compile_schema(manifest.config.schema, "config.schema")
        return Prepared(manifest, methods_of(manifest), config, _spec(version, manifest, layers))

    def _dependencies(self, version: VersionFact, manifest: Manifest) -> Iterator[Path]:
        """The locked wheels, after the artifact on sys.path: what is in both is the artifact's."""
        wanted = manifest.dependencies.python
        try:
            packages = verify_lock(wanted, version.lock_digest, version.lock_packages)
        except LockRefusedError as error:
            name = f"{version.plugin} {version.version}"
            message = f"{name} cannot be loaded. {error.message}"
            raise LockRefusedError(message, code=error.code) from error
        for package in packages:
            yield _ensure(self._wheels, package.sha256, self._fetch)


def _ensure(layers: LayerCache, digest: str, fetch: Fetch) -> Path:
    return layers.ensure(digest, partial(fetch, digest))


async def _check_health(pool: VersionPool) -> None:
    examination = await pool.examine()
    if not examination.healthy:
        raise LoadFailed(examination.liveness or examination.readiness)


def _spec(version: VersionFact, manifest: Manifest, layers: tuple[Path, ...]) -> PluginSpec:
    resources = manifest.resources
    return PluginSpec(
        plugin=version.plugin,
        version=version.version,
        digest=version.artifact_digest,
        layers=layers,
        entry_point=manifest.entry_point,
        methods=tuple(manifest.methods),
        limits=Limits(
            memory_mb=resources.memory_mb,
            cpu_seconds=resources.cpu_seconds,
            wall_seconds=resources.wall_seconds,
            pids=resources.pids,
            tmp_mb=resources.tmp_mb,
        ),
        threads=resources.threads,
        startup_seconds=manifest.health.startup_seconds,
    )


def describe_attestation(attestation: Attestation) -> dict[str, Any]:
    """As JSON, for the placement's row."""
    plain = asdict(attestation)
    plain["namespaces"] = sorted(attestation.namespaces)
    return plain | {"tier": attestation.tier.name.lower()}
