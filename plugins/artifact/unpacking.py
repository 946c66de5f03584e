"""Unpacks an artifact into an empty directory and compiles it there."""

import os
import py_compile
import warnings
from pathlib import Path
from typing import BinaryIO

from .archive import read_entries
from .contents import inspect_artifact
from .errors import ArtifactError, shown
from .limits import ARTIFACT, DEPENDENCY, Bounds, Entry
from .streaming import read_chunks

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def unpack_artifact(
    path: Path | str,
    directory: Path | str,
    *,
    require_manifest: bool = True,
    allow_native: bool = True,
    bounds: Bounds | None = None,
) -> int:
    """Check everything, then write the files (0644, directories 0755) and hash-checked bytecode.

    The directory must exist and be empty. Returns the bytes unpacked. Modes, times and owners in
    the zip are ignored; nothing is written when a check fails.
    """
    root = Path(directory)
    if any(root.iterdir()):
        raise ArtifactError("not_empty", f"The directory {shown(str(root))} is not empty.")
    bounds = bounds or (ARTIFACT if require_manifest else DEPENDENCY)
    contents = inspect_artifact(
        path, require_manifest=require_manifest, allow_native=allow_native, bounds=bounds
    )
    known = frozenset(contents.entries)
    with Path(path).open("rb") as file:
        # The same file again: were it changed meanwhile, the streaming checks see it.
        for entry in read_entries(file, bounds):
            if entry not in known:
                raise ArtifactError("changed", "The artifact changed while it was read.")
            if entry.is_directory:
                _make_directory(root / entry.name)
            else:
                _make_directory((root / entry.name).parent)
                _write(root / entry.name, file, entry)
    _compile(root, contents.entries)
    return contents.unpacked_bytes


def _make_directory(path: Path) -> None:
    path.mkdir(mode=0o755, parents=True, exist_ok=True)


def _write(path: Path, file: BinaryIO, entry: Entry) -> None:
    with os.fdopen(os.open(path, _NEW_FILE, 0o644), "wb") as target:
        for chunk in read_chunks(file, entry):
            target.write(chunk)


def _compile(root: Path, entries: tuple[Entry, ...]) -> None:
    """Bytecode of our own making, valid only for exactly this source, whatever its time stamp."""
    for entry in entries:
        if entry.is_directory or not entry.name.endswith(".py"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _compile_one(root / entry.name, entry.name)


def _compile_one(path: Path, name: str) -> None:
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    try:
        py_compile.compile(str(path), dfile=name, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError, RecursionError, MemoryError):
        # Packages ship templates and code for other Pythons; if it is needed, loading says so.
        return
