"""A wheel's own promises: its RECORD, its METADATA and its file name say the same as its files."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser

from .errors import ArtifactError, shown

MAX_METADATA_BYTES = 1024 * 1024
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True)
class Wheel:
    """Name and version as METADATA gives them, unnormalised."""

    name: str
    version: str
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Digested:
    """A file's length and urlsafe base64 sha256 without padding, as RECORD writes it."""

    size: int
    sha256: str


def find_dist_info(names: list[str]) -> str | None:
    """The one ``*.dist-info`` directory at the root, if there is one."""
    found = {name.split("/")[0] for name in names if "/" in name}
    directories = sorted(part for part in found if part.endswith(".dist-info"))
    if len(directories) > 1:
        raise _error("has more than one .dist-info directory")
    return directories[0] if directories else None


def read_wheel(
    directory: str,
    texts: Mapping[str, bytes],
    files: Mapping[str, Digested],
    filename: str | None,
) -> Wheel:
    """Check RECORD against the files and the names against each other."""
    _check_record(directory, _text(directory, "RECORD", texts), files)
    headers = HeaderParser().parsestr(_text(directory, "METADATA", texts))
    for key in ("Name", "Version"):
        if len(headers.get_all(key, [])) > 1:
            raise _error(f"has more than one {key} in its METADATA")
    wheel = Wheel(
        name=str(headers.get("Name", "")).strip(),
        version=str(headers.get("Version", "")).strip(),
        requires=tuple(str(value).strip() for value in headers.get_all("Requires-Dist", [])),
    )
    _check_agreement(wheel, directory.removesuffix(".dist-info"), f"directory {directory}")
    if filename is not None and filename.endswith(".whl"):
        _check_agreement(wheel, filename, f"file name {filename}")
    return wheel


def _text(directory: str, name: str, texts: Mapping[str, bytes]) -> str:
    raw = texts.get(f"{directory}/{name}")
    if raw is None:
        raise _error(f"has no {directory}/{name}, or one over {MAX_METADATA_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _error(f"has a {name} that is not UTF-8") from error


def _check_record(directory: str, record: str, files: Mapping[str, Digested]) -> None:
    unrecorded = {f"{directory}/{name}" for name in _UNRECORDED}
    listed = _read_record(record)
    for name in sorted(files.keys() - unrecorded):
        if name not in listed:
            raise _bad_record(f"does not list {shown(name)}")
        digest, size = listed[name]
        if digest != f"sha256={files[name].sha256}":
            raise _bad_record(f"has another sha256 for {shown(name)}")
        if size and size != str(files[name].size):
            raise _bad_record(f"has another size for {shown(name)}")
    missing = sorted(listed.keys() - files.keys() - unrecorded)
    if missing:
        raise _bad_record(f"lists {shown(missing[0])}, which is missing")


def _read_record(record: str) -> dict[str, tuple[str, str]]:
    listed: dict[str, tuple[str, str]] = {}
    try:
        for row in csv.reader(record.splitlines()):
            if len(row) != 3 or row[0] in listed:
                raise _bad_record("has a line without three fields, or a file twice")
            listed[row[0]] = (row[1], row[2])
    except csv.Error as error:
        raise _bad_record("is not CSV") from error
    return listed


def _check_agreement(wheel: Wheel, stem: str, what: str) -> None:
    name, _, rest = stem.partition("-")
    version = rest.split("-")[0].removesuffix(".whl")
    same_name = _normal(name) == _normal(wheel.name)
    same_version = _normal(version) == _normal(wheel.version)
    if not (wheel.name and wheel.version and same_name and same_version):
        raise ArtifactError(
            "wheel_mismatch",
            f"METADATA says {shown(wheel.name)} {shown(wheel.version)}, but the {shown(what)}: "
            "make them the same and build the wheel again.",
        )


def _normal(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _bad_record(what: str) -> ArtifactError:
    return ArtifactError("bad_record", f"RECORD {what}: build the wheel again.")


def _error(what: str) -> ArtifactError:
    return ArtifactError("bad_wheel", f"The wheel {what}: build it again.")
