"""METADATA of wheels: what a distribution says it needs, and what nobody may need."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from .errors import Refused, shown

MAX_METADATA_BYTES = 1 << 20
MAX_REQUIREMENTS = 2000


@dataclass(frozen=True)
class Metadata:
    """``requires`` as parsed, ``lines`` as they stand in the file."""

    requires: tuple[Requirement, ...]
    requires_python: SpecifierSet
    lines: tuple[str, ...]


class UnusableError(Exception):
    """This one distribution cannot be used; another version of it may."""


def parse_requirement(text: str, asker: str) -> Requirement:
    """A name and constraints, nothing else; ``asker`` is who is to blame.

    A direct reference is refused wherever it stands, because an installer would fetch and run it.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        if text.lstrip().startswith("-") or "://" in text or "@" in text:
            raise _reference(text, asker) from error
        raise UnusableError(f"its requirement {shown(text)} cannot be read") from error
    if requirement.url is not None:
        raise _reference(text, asker)
    return requirement


def _reference(text: str, asker: str) -> Refused:
    return Refused(
        f"{asker} asks for {shown(text)}: a direct reference or option is refused, only names and "
        "version constraints of packages in the index are taken.",
        code="dependency_reference",
    )


def read_metadata(raw: bytes, name: str, version: Version) -> Metadata:
    """``UnusableError`` when it is about something else or cannot be read."""
    if len(raw) > MAX_METADATA_BYTES:
        raise UnusableError(f"its METADATA is over {MAX_METADATA_BYTES} bytes")
    headers = HeaderParser().parsestr(raw.decode("utf-8", "replace"))
    _check_subject(str(headers.get("Name", "")), str(headers.get("Version", "")), name, version)
    lines = tuple(str(line).strip() for line in headers.get_all("Requires-Dist", []))
    if len(lines) > MAX_REQUIREMENTS:
        raise UnusableError(f"it has more than {MAX_REQUIREMENTS} requirements")
    asker = f"{name} {version}"
    # All of them, whatever their markers: a reference is refused also where it would not be used.
    requires = tuple(parse_requirement(line, asker) for line in lines)
    try:
        wanted = SpecifierSet(str(headers.get("Requires-Python", "")))
    except InvalidSpecifier as error:
        raise UnusableError("its Requires-Python cannot be read") from error
    return Metadata(requires, wanted, lines)


def _check_subject(said_name: str, said_version: str, name: str, version: Version) -> None:
    try:
        same = canonicalize_name(said_name.strip()) == name and Version(said_version) == version
    except InvalidVersion:
        same = False
    if not same:
        raise UnusableError(f"its METADATA is about {shown(f'{said_name} {said_version}')}")


def metadata_in_wheel(data: bytes) -> bytes:
    """The METADATA of the one ``.dist-info`` at the root of a wheel."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry for entry in archive.namelist() if _is_metadata(entry)]
            if len(names) != 1:
                raise UnusableError("it has not exactly one METADATA")
            with archive.open(names[0]) as file:
                return file.read(MAX_METADATA_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise UnusableError("it is not a readable wheel") from error


def _is_metadata(name: str) -> bool:
    directory, _, rest = name.partition("/")
    return directory.endswith(".dist-info") and rest == "METADATA"
