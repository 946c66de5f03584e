"""Packs a plugin's directory into an artifact: the same bytes for the same files anywhere."""

import io
import tempfile
import zipfile
from pathlib import Path

from hotswap.lib.errors import InvalidInputError
from plugins.artifact_check import CheckedArtifact, read_artifact

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_LEFT_OUT = {"__pycache__", "build", "dist"}
_REGULAR_0644 = 0o100644 << 16


def build_artifact(directory: Path) -> bytes:
    """A zip of the directory's files, stored in the order of their names.

    Hidden files, bytecode and ``build`` or ``dist`` directories stay out.
    """
    if not (directory / "hotswap.toml").is_file():
        raise InvalidInputError(f"{directory} has no hotswap.toml: it is not a plugin's directory.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in plugin_files(directory):
            info = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EPOCH)
            info.create_system, info.external_attr = 3, _REGULAR_0644
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def plugin_files(directory: Path) -> list[Path]:
    """The regular files that belong to the plugin, sorted by name; links are never followed."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in files if _belongs(path.relative_to(directory)))


def pack(directory: Path) -> tuple[CheckedArtifact, bytes]:
    """The artifact, checked as an upload is; raises what an upload would raise."""
    data = build_artifact(directory)
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        return read_artifact(Path(file.name)), data


def _belongs(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and not _LEFT_OUT & set(path.parts) and path.suffix not in (".pyc", ".pyo")
