"""What is to run and for whom. Plain values: nothing here opens, starts or knows a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one jail.

    ``cpu_seconds`` and ``wall_seconds`` of one call, sizes in the unit of their name.
    """

    memory_mb: int = 256
    cpu_seconds: float = 5
    wall_seconds: float = 10
    pids: int = 32
    tmp_mb: int = 64
    output_bytes: int = 1 << 20
    input_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """One version as an instance runs it.

    ``layers`` are unpacked, readable trees, the artifact's first.
    """

    plugin: str
    version: str
    digest: str
    layers: tuple[Path, ...]
    entry_point: str
    methods: tuple[str, ...]
    limits: Limits = Limits()
    threads: int = 1
    startup_seconds: float = 10


@dataclass(frozen=True, slots=True)
class Attachment:
    """A tenant's installation at one epoch.

    ``config`` is a JSON object; ``secrets`` are value-mode ones only.
    """

    tenant_id: str
    installation_id: str
    config: bytes = b"{}"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation.

    ``parameters`` must already be a valid JSON object; ``deadline`` is on ``time.monotonic()``.

    ``wall_seconds`` lowers the version's limit for this call (a method's own timeout).
    """

    method: str
    parameters: bytes
    call_id: str
    deadline: float
    traceparent: str = ""
    wall_seconds: float | None = None
