"""What is inside an artifact, after every byte of it was read and checked once."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .archive import read_entries
from .errors import ArtifactError, shown
from .limits import ARTIFACT, DEPENDENCY, MAX_MANIFEST_BYTES, Bounds, Entry
from .names import check_names, is_native, top_level_modules
from .streaming import read_chunks
from .wheel import MAX_METADATA_BYTES, Digested, Wheel, find_dist_info, read_wheel

MANIFEST = "hotswap.toml"


@dataclass(frozen=True)
class ArtifactContents:
    """``manifest_text`` is None only where no manifest was required (wheels of dependencies)."""

    manifest_text: str | None
    entries: tuple[Entry, ...]
    unpacked_bytes: int
    modules: frozenset[str]
    native_files: tuple[str, ...]
    wheel: Wheel | None

    def has_module(self, dotted: str) -> bool:
        """Whether ``package.module`` is among the files."""
        path = dotted.replace(".", "/")
        names = {entry.name for entry in self.entries if not entry.is_directory}
        return bool(names & {f"{path}.py", f"{path}/__init__.py"})


@dataclass
class _Reading:
    files: dict[str, Digested] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    native: list[str] = field(default_factory=list)


def inspect_artifact(
    path: Path | str,
    *,
    filename: str | None = None,
    require_manifest: bool = True,
    allow_native: bool = True,
    bounds: Bounds | None = None,
) -> ArtifactContents:
    """Read the whole artifact and refuse what is hostile or broken with ``ArtifactError``.

    ``filename`` is the name it was uploaded under. Machine code is listed in ``native_files``: only
    the manifest can permit it, so whoever reads the manifest decides; or refuse it all here.
    """
    with Path(path).open("rb") as file:
        entries = read_entries(file, bounds or (ARTIFACT if require_manifest else DEPENDENCY))
        check_names(entries)
        names = [entry.name for entry in entries if not entry.is_directory]
        dist_info = find_dist_info(names)
        wanted = _wanted(dist_info)
        reading = _read_all(file, entries, wanted)
    if reading.native and not allow_native:
        raise native_refused(reading.native[0])
    manifest = _manifest(reading.texts, names, dist_info, require_manifest)
    wheel = read_wheel(dist_info, reading.texts, reading.files, filename) if dist_info else None
    return ArtifactContents(
        manifest_text=manifest,
        entries=tuple(entries),
        unpacked_bytes=sum(entry.size for entry in entries),
        modules=top_level_modules(names),
        native_files=tuple(reading.native),
        wheel=wheel,
    )


def native_refused(name: str) -> ArtifactError:
    return ArtifactError(
        "native_code",
        f"{shown(name)} is machine code: the manifest must ask for it with permissions.native "
        "= true, and an approver must agree.",
    )


def _wanted(dist_info: str | None) -> dict[str, int]:
    """The files whose text is needed, with the most bytes each may have."""
    wanted = {MANIFEST: MAX_MANIFEST_BYTES}
    if dist_info:
        wanted[f"{dist_info}/{MANIFEST}"] = MAX_MANIFEST_BYTES
        wanted[f"{dist_info}/RECORD"] = MAX_METADATA_BYTES
        wanted[f"{dist_info}/METADATA"] = MAX_METADATA_BYTES
    return wanted


def _read_all(file: BinaryIO, entries: list[Entry], wanted: dict[str, int]) -> _Reading:
    reading = _Reading()
    for entry in entries:
        if entry.is_directory:
            continue
        keep = entry.size <= wanted.get(entry.name, -1)
        digest, start, kept = hashlib.sha256(), b"", bytearray()
        for chunk in read_chunks(file, entry):
            digest.update(chunk)
            start = start if len(start) >= 8 else start + chunk[:8]
            if keep:
                kept += chunk
        if is_native(entry.name, start):
            reading.native.append(entry.name)
        if keep:
            reading.texts[entry.name] = bytes(kept)
        encoded = urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        reading.files[entry.name] = Digested(entry.size, encoded)
    return reading


def _manifest(
    texts: dict[str, bytes], names: list[str], dist_info: str | None, required: bool
) -> str | None:
    places = [MANIFEST, f"{dist_info}/{MANIFEST}"] if dist_info else [MANIFEST]
    found = [place for place in places if place in names]
    if len(found) > 1:
        raise ArtifactError(
            "two_manifests", f"There are two manifests, {' and '.join(found)}: leave one out."
        )
    if not found and required:
        raise ArtifactError(
            "no_manifest",
            f"There is no {MANIFEST} at the root of the zip or in .dist-info/: add it.",
        )
    if not found:
        return None
    if found[0] not in texts:
        raise ArtifactError(
            "manifest_too_large",
            f"{MANIFEST} is over {MAX_MANIFEST_BYTES} bytes: shorten its schemas and examples.",
        )
    try:
        return texts[found[0]].decode()
    except UnicodeDecodeError as error:
        raise ArtifactError("no_manifest", f"{MANIFEST} is not UTF-8: save it as UTF-8.") from error
