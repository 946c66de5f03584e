"""Which names an artifact may contain, and which files never belong into one."""

import sys
import unicodedata
from collections.abc import Iterable

from .errors import ArtifactError, shown
from .limits import MAX_DEPTH, MAX_NAME_BYTES, Entry

# What a plugin's process imports before the plugin, and so would never find in its artifact.
RESERVED_MODULES = sys.stdlib_module_names | {"hotswap", "hotswap_plugin", "hotswap_runtime"}
_AUTOMATIC_MODULES = {"sitecustomize", "usercustomize"}
_NATIVE_SUFFIXES = (".so", ".pyd", ".dll", ".dylib")
_NATIVE_STARTS = (b"\x7fELF", b"MZ", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_FAT_BINARY = b"\xca\xfe\xba\xbe"


def check_names(entries: Iterable[Entry]) -> None:
    """Refuse names that leave the directory, collide, or change how Python starts."""
    entries = list(entries)
    for entry in entries:
        _check_path(entry.name)
        _check_kind(entry)
    _check_collisions(entries)
    _check_sdist([entry.name for entry in entries])


def top_level_modules(names: Iterable[str]) -> frozenset[str]:
    """The names that ``import`` would find at the root of these files."""
    return frozenset(name.split("/")[0].split(".")[0] for name in names if _is_module(name))


def is_native(name: str, start: bytes) -> bool:
    """Machine code by its name or by its first bytes."""
    last = name.rpartition("/")[2].lower()
    return (
        last.endswith(_NATIVE_SUFFIXES)
        or ".so." in last
        or start.startswith((*_NATIVE_STARTS, _FAT_BINARY))
    )


def _check_path(name: str) -> None:
    parts = name.split("/")
    if "\\" in name or ":" in name or not name.isprintable():
        raise _bad(name, "has a backslash, colon or unprintable character")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise _bad(name, "is absolute or has an empty, '.' or '..' part")
    if any(part != part.strip() or part.endswith(".") for part in parts):
        raise _bad(name, "has a part that starts or ends with a space, or ends with a dot")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _bad(name, f"is longer than {MAX_NAME_BYTES} bytes")
    if len(parts) > MAX_DEPTH:
        raise _bad(name, f"is deeper than {MAX_DEPTH} directories")


def _check_kind(entry: Entry) -> None:
    name, parts = shown(entry.name), entry.name.casefold().split("/")
    if "__pycache__" in parts or parts[-1].endswith((".pyc", ".pyo")):
        raise ArtifactError("bytecode", f"{name} is compiled Python: pack sources only.")
    if parts[-1].endswith(".pth"):
        raise _startup_hook(name)
    module = parts[0].split(".")[0]
    if not _is_module(entry.name) and not (entry.is_directory and len(parts) == 1):
        return
    if module in _AUTOMATIC_MODULES:
        raise _startup_hook(name)
    if module in RESERVED_MODULES and (len(parts) > 1 or not entry.is_directory):
        raise ArtifactError(
            "shadowed_module",
            f"{name} would hide the module {module!r} of Python or HotSwap: rename it.",
        )


def _startup_hook(name: str) -> ArtifactError:
    return ArtifactError(
        "startup_hook",
        f"{name} would run when Python starts: put what it does into the plugin's module.",
    )


def _is_module(name: str) -> bool:
    """Whether the file makes its first part importable; ``name-1.0.dist-info`` does not."""
    first, _, rest = name.partition("/")
    return "." not in first if rest else first.casefold().endswith((".py", *_NATIVE_SUFFIXES))


def _check_collisions(entries: list[Entry]) -> None:
    """Names that some file system holds for the same, and files that would be directories too."""
    kinds: dict[str, bool] = {}
    for entry in entries:
        folded = _fold(entry.name)
        if folded in kinds:
            kind = "duplicate_name" if kinds[folded] == entry.is_directory else "file_and_directory"
            raise _collision(kind, entry.name)
        kinds[folded] = entry.is_directory
    spellings: dict[str, str] = {}
    for entry in entries:
        for parent in _parents(entry.name):
            folded = _fold(parent)
            if kinds.get(folded) is False:
                raise _collision("file_and_directory", parent)
            if spellings.setdefault(folded, parent) != parent:
                raise _collision("duplicate_name", parent)


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


_COLLISIONS = {
    "duplicate_name": "is there twice, or differs from another name only in case or accents",
    "file_and_directory": "is both a file and a directory",
}


def _collision(code: str, name: str) -> ArtifactError:
    return ArtifactError(code, f"{shown(name)} {_COLLISIONS[code]}: rename one or leave it out.")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _check_sdist(names: list[str]) -> None:
    for name in names:
        parts = name.casefold().split("/")
        if parts[-1] == "setup.py" and len(parts) <= 2:
            raise ArtifactError(
                "sdist",
                f"{shown(name)} makes this a source distribution, which would run code to install: "
                "build a wheel, or pack the modules without it.",
            )


def _bad(name: str, what: str) -> ArtifactError:
    return ArtifactError("bad_name", f"Entry name {shown(name)} {what}: rename it.")
