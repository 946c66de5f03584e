"""Loads the example plugins in this process, as an author's own tests would: with the SDK alone."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.manifest import parse_manifest
from plugins.manifest_types import Manifest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SDK = ROOT / "sandbox" / "engine" / "runtime"


@dataclass
class Context:
    """Has what TenantContext has, and remembers metrics."""

    version: str
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)

    def metric(self, name: str, value: float = 1, **labels: str) -> None:
        self.metrics.append(name)

    def log(self, message: str, **fields: Any) -> None:
        pass


@dataclass
class LoadedExample:
    manifest: Manifest
    plugin: Any

    def call(self, method: str, *, config=None, secrets=None, **parameters: Any) -> Any:
        context = Context(self.manifest.version, config or {}, secrets or {})
        return getattr(self.plugin, method)(context, **parameters)


def directories() -> list[Path]:
    return sorted(path.parent for path in EXAMPLES.glob("*/*/hotswap.toml"))


def read_example_manifest(directory: Path) -> Manifest:
    return parse_manifest((directory / "hotswap.toml").read_bytes())


def load_example(name: str, version: str) -> LoadedExample:
    """Import one version under its own names and forget the modules again, so that the next version
    can have the same names.
    """
    directory = EXAMPLES / name / version
    manifest = read_example_manifest(directory)
    module, _, entry = manifest.entry_point.partition(":")
    before = set(sys.modules)
    sys.path[:0] = [str(directory), str(SDK)]
    try:
        plugin = getattr(importlib.import_module(module), entry)()
        plugin.startup()
    finally:
        del sys.path[:2]
        for loaded in set(sys.modules) - before:
            if not loaded.startswith("hotswap_plugin"):
                file = getattr(sys.modules[loaded], "__file__", None) or ""
                if file.startswith(str(directory)):
                    del sys.modules[loaded]
        importlib.invalidate_caches()
    return LoadedExample(manifest, plugin)
