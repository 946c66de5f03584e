"""A version's bill of materials (CycloneDX) as rows of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.models import PluginVersion


@dataclass(frozen=True, slots=True)
class Component:
    """``detail`` is what is known besides: a package's file, or what was asked for."""

    name: str
    version: str
    detail: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Materials:
    """``packages`` come from others; ``files`` are the artifact's own."""

    packages: tuple[Component, ...] = ()
    files: tuple[Component, ...] = ()

    @property
    def count(self) -> int:
        return len(self.packages) + len(self.files)


def materials_of(version: PluginVersion) -> Materials | None:
    """None for a version that was uploaded before bills were kept."""
    if not version.sbom:
        return None
    parts = [part for part in version.sbom.get("components", ()) if isinstance(part, Mapping)]
    return Materials(
        tuple(_component(part) for part in parts if part.get("type") != "file"),
        tuple(_component(part) for part in parts if part.get("type") == "file"),
    )


def _component(part: Mapping[str, Any]) -> Component:
    properties = [str(each.get("value", "")) for each in part.get("properties", ())]
    hashes = {each.get("alg"): each.get("content", "") for each in part.get("hashes", ())}
    return Component(
        name=str(part.get("name", "")),
        version=str(part.get("version", "")),
        detail=", ".join(value for value in properties if value),
        sha256=str(hashes.get("SHA-256", "")),
    )
