"""What a manifest says, as plain values. Field names are the keys of ``hotswap.toml``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from plugins.jsonvalues import canonical_json

JsonObject = Mapping[str, Any]
SCHEMA_VERSION = 1
NO_FIELDS: JsonObject = {"type": "object", "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Example:
    """A call that proves a loaded version: ``result`` is the exact answer, ``expect`` a JSON Schema
    of it; with neither, answering at all is enough. Secrets here are test values, never a tenant's.
    """

    parameters: JsonObject
    result: Any = None
    expect: JsonObject | None = None
    config: JsonObject = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MethodSpec:
    timeout_seconds: float
    summary: str = ""
    idempotent: bool = False
    input_schema: JsonObject = field(default_factory=lambda: dict(NO_FIELDS))
    output_schema: JsonObject = field(default_factory=dict)
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigSpec:
    """The JSON Schema of a tenant's configuration; without one, only the empty one fits."""

    schema: JsonObject = field(default_factory=lambda: dict(NO_FIELDS))


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """``header``: the egress broker adds it for that host; ``value``: the process gets it."""

    mode: str = "header"
    summary: str = ""
    host: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class EgressRule:
    """HTTPS to one host, or to every name one label below ``*.``, with these methods and ports."""

    host: str
    methods: tuple[str, ...] = ("GET",)
    ports: tuple[int, ...] = (443,)


@dataclass(frozen=True, slots=True)
class Permissions:
    native: bool = False
    egress: tuple[EgressRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources:
    """Limits of one process; ``processes`` or ``threads``: calls at once per tenant."""

    memory_mb: int = 256
    cpu_seconds: float = 5.0
    wall_seconds: float = 10.0
    pids: int = 32
    tmp_mb: int = 64
    processes: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Health:
    """Time limits of the hooks, and the performance above which the version counts as unhealthy."""

    startup_seconds: float = 30.0
    liveness_seconds: float = 5.0
    readiness_seconds: float = 5.0
    error_rate: float | None = None
    p99_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MetricSpec:
    type: str
    summary: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Isolation:
    scope: str = "tenant"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """``plugins`` constrain what the environment runs; ``python`` is resolved into wheels."""

    plugins: tuple[str, ...] = ()
    python: tuple[str, ...] = ()

    def plugin_constraints(self) -> dict[str, SpecifierSet]:
        requirements = [Requirement(text) for text in self.plugins]
        return {requirement.name: requirement.specifier for requirement in requirements}


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    version: str
    summary: str
    entry_point: str
    methods: Mapping[str, MethodSpec]
    author: str = ""
    requires_python: str = ""
    requires_hotswap: str = ""
    dependencies: Dependencies = Dependencies()
    config: ConfigSpec = field(default_factory=ConfigSpec)
    secrets: Mapping[str, SecretSpec] = field(default_factory=dict)
    permissions: Permissions = Permissions()
    resources: Resources = Resources()
    health: Health = Health()
    metrics: Mapping[str, MetricSpec] = field(default_factory=dict)
    isolation: Isolation = Isolation()
    schema_version: int = SCHEMA_VERSION

    @property
    def entry_module(self) -> str:
        return self.entry_point.partition(":")[0]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON in the shape of ``hotswap.toml`` with every default written out."""
        plain: dict[str, Any] = _without_none(asdict(self))
        return plain

    def digest(self) -> str:
        """sha256 of the canonical JSON: equal for manifests that say the same."""
        return sha256(canonical_json(self.as_dict())).hexdigest()


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
