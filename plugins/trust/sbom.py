"""A version's bill of materials: CycloneDX 1.6 as plain JSON (https://cyclonedx.org/docs/1.6/json/).

Made from the artifact alone at its upload; the packages of the lock are added when it is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hotswap import __version__
from plugins.manifest_types import Manifest

CONTENT_TYPE = "application/vnd.cyclonedx+json"
SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_DECLARED = "hotswap:requirement"
Sbom = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SbomFile:
    path: str
    sha256: str


def make_sbom(
    manifest: Manifest, artifact_sha256: str, files: Iterable[SbomFile], at: datetime
) -> Sbom:
    """The plugin, its files and the Python packages that it declares, which have no version yet."""
    root = f"plugin:{manifest.name}@{manifest.version}"
    declared = [_declared(text) for text in manifest.dependencies.python]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'sha256:{artifact_sha256}')}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(timespec="seconds"),
            "lifecycles": [{"phase": "build"}],
            "tools": {
                "components": [{"type": "application", "name": "HotSwap", "version": __version__}]
            },
            "component": _plugin(manifest, artifact_sha256, root),
        },
        "components": [*map(_file, files), *declared],
        "dependencies": _graph(root, [each["bom-ref"] for each in declared], {}),
        "compositions": [_completeness(root, is_complete=not declared)],
    }


def add_packages(sbom: Sbom, packages: Sequence[Mapping[str, Any]]) -> Sbom:
    """The same bill with the packages of a lock in place of what was declared, one version on.

    ``packages`` are those of ``DependencyLock``: ``{name, version, filename, sha256, requires}``.
    Adding the packages of another lock replaces those of the one before.
    """
    completed = deepcopy(sbom)
    root = completed["metadata"]["component"]["bom-ref"]
    files = [part for part in completed["components"] if part["type"] == "file"]
    refs = {str(canonicalize_name(each["name"])): _package_ref(each) for each in packages}
    needs = {_package_ref(each): _needed(each, refs) for each in packages}
    needed_by_others = {ref for below in needs.values() for ref in below}
    declared = _declared_names(sbom) or {
        name for name, ref in refs.items() if ref not in needed_by_others
    }
    completed["components"] = [*files, *map(_package, packages)]
    direct = sorted(refs[name] for name in declared if name in refs)
    completed["dependencies"] = _graph(root, direct, needs)
    completed["compositions"] = [_completeness(root, is_complete=True)]
    completed["version"] = sbom["version"] + 1
    completed["metadata"]["component"]["properties"] = [
        {"name": _DECLARED, "value": name} for name in sorted(declared)
    ]
    return completed


def _plugin(manifest: Manifest, artifact_sha256: str, root: str) -> dict[str, Any]:
    name, version = quote(manifest.name), quote(manifest.version)
    plugin: dict[str, Any] = {
        "type": "application",
        "bom-ref": root,
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.summary,
        "hashes": [{"alg": "SHA-256", "content": artifact_sha256}],
        "purl": f"pkg:generic/{name}@{version}?checksum=sha256:{artifact_sha256}",
    }
    if manifest.author:
        plugin["authors"] = [{"name": manifest.author}]
    return plugin


def _file(file: SbomFile) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{file.path}",
        "name": file.path,
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
    }


def _declared(text: str) -> dict[str, Any]:
    """A package by its name; what it resolves to is not known yet."""
    name = canonicalize_name(Requirement(text).name)
    return {
        "type": "library",
        "bom-ref": f"pypi:{name}",
        "name": name,
        "purl": f"pkg:pypi/{quote(name)}",
        "properties": [{"name": _DECLARED, "value": text}],
    }


def _declared_names(sbom: Sbom) -> set[str]:
    """From the bill's own first version, or from what the last lock kept of it."""
    parts = [sbom["metadata"]["component"], *sbom["components"]]
    values = [
        entry["value"]
        for part in parts
        for entry in part.get("properties", ())
        if entry["name"] == _DECLARED
    ]
    return {canonicalize_name(Requirement(value).name) for value in values}


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    name, version = canonicalize_name(package["name"]), package["version"]
    return {
        "type": "library",
        "bom-ref": _package_ref(package),
        "name": name,
        "version": version,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": package["sha256"]}],
        "purl": f"pkg:pypi/{quote(name)}@{quote(version)}",
        "properties": [{"name": "hotswap:filename", "value": package["filename"]}],
    }


def _package_ref(package: Mapping[str, Any]) -> str:
    return f"pypi:{canonicalize_name(package['name'])}@{package['version']}"


def _needed(package: Mapping[str, Any], refs: Mapping[str, str]) -> list[str]:
    """Those of its requirements that are in the lock: others are for another platform or extra."""
    names = {_name_of(text) for text in package.get("requires") or ()}
    own = _package_ref(package)
    return sorted(refs[name] for name in names if name in refs and refs[name] != own)


def _name_of(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""


def _graph(
    root: str, direct: Sequence[str], needs: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    edges = {root: direct, **dict.fromkeys(direct, ()), **needs}
    return [{"ref": ref, "dependsOn": list(below)} for ref, below in edges.items()]


def _completeness(root: str, *, is_complete: bool) -> dict[str, Any]:
    return {"aggregate": "complete" if is_complete else "incomplete", "dependencies": [root]}
