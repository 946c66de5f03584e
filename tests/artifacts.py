"""Artifacts for tests: good ones, and hostile ones that no honest tool would write."""

import csv
import hashlib
import io
import json
import struct
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SOURCE = """\
from hotswap_plugin import Plugin


class Echo(Plugin):
    def echo(self, ctx, text=""):
        return {"text": text, "version": ctx.version}
"""


def manifest_data(**changes: Any) -> dict[str, Any]:
    """The smallest useful manifest; ``None`` leaves a key out."""
    data = {
        "schema_version": 1,
        "name": "echo",
        "version": "1.0.0",
        "summary": "Says what it hears",
        "entry_point": "echo:Echo",
        "methods": {
            "echo": {
                "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}},
                "examples": [{"parameters": {"text": "hello"}}],
            }
        },
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def dump_toml(data: Mapping[str, Any]) -> str:
    """Any JSON-like table as TOML with one line per top-level key."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in data.items())


def manifest_text(**changes: Any) -> str:
    return dump_toml(manifest_data(**changes))


Files = Mapping[str, str | bytes]


def zip_bytes(
    files: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, compression)
    return buffer.getvalue()


def plugin_zip(files: Files | None = None, **changes: Any) -> bytes:
    """A good artifact of the echo plugin, with manifest keys changed and files added."""
    content = {"hotswap.toml": manifest_text(**changes), "echo.py": SOURCE, **(files or {})}
    return zip_bytes(content)


def wheel_bytes(
    *,
    name: str = "echo",
    version: str = "1.0.0",
    metadata_version: str | None = None,
    extra: Files | None = None,
    record_changes: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> bytes:
    """A wheel of the echo plugin; ``record_changes`` replaces RECORD lines, None drops them."""
    info = f"{name}-{version}.dist-info"
    files = {
        "echo.py": SOURCE,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        f"Version: {metadata_version or version}\nRequires-Dist: babel>=2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/hotswap.toml": manifest_text(version=version, **changes),
        **(extra or {}),
    }
    lines = {file: _record_line(file, text) for file, text in files.items()}
    lines[f"{info}/RECORD"] = f"{info}/RECORD,,"
    lines.update(record_changes or {})
    record = "".join(f"{line}\n" for line in lines.values() if line is not None)
    return zip_bytes({**files, f"{info}/RECORD": record})


@dataclass
class Member:
    """One entry of a hand-made zip; each field lies independently of the content."""

    name: bytes
    content: bytes = b""
    local_name: bytes | None = None
    declared_size: int | None = None
    declared_crc: int | None = None
    offset: int | None = None
    flags: int = 0x800
    method: int = 0
    mode: int = 0o100644
    extra: bytes = b""
    disk: int = 0
    descriptor: bytes = b""

    def packed(self) -> bytes:
        if self.method != 8:
            return self.content
        engine = zlib.compressobj(9, zlib.DEFLATED, -15)
        return engine.compress(self.content) + engine.flush()

    def sizes(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.content) if self.declared_crc is None else self.declared_crc
        size = len(self.content) if self.declared_size is None else self.declared_size
        return crc, len(self.packed()), size


def raw_zip(
    *members: Member,
    prefix: bytes = b"",
    suffix: bytes = b"",
    gap: bytes = b"",
    comment: bytes = b"",
    disk: int = 0,
    honest_offsets: bool = True,
) -> bytes:
    """A zip written byte by byte; ``prefix`` counts in the offsets only if they are honest."""
    shift = len(prefix) if honest_offsets else 0
    body, directory = b"", b""
    for member in members:
        place = len(body) + shift if member.offset is None else member.offset
        body += _local(member)
        directory += _central(member, place)
    start = len(body) + len(gap) + shift
    end = struct.pack(
        "<4s4H2LH",
        b"PK\5\6",
        disk,
        disk,
        len(members),
        len(members),
        len(directory),
        start,
        len(comment),
    )
    return prefix + body + gap + directory + end + comment + suffix


def good_members() -> list[Member]:
    return [
        Member(b"hotswap.toml", manifest_text().encode()),
        Member(b"echo.py", SOURCE.encode()),
    ]


def with_member(*members: Member, **options: Any) -> bytes:
    """A good artifact by hand, and these members in it."""
    return raw_zip(*good_members(), *members, **options)


def _local(member: Member) -> bytes:
    name = member.name if member.local_name is None else member.local_name
    sizes = (0, 0, 0) if member.flags & 8 else member.sizes()
    head = (b"PK\3\4", 20, member.flags, member.method, 0, 33, *sizes, len(name), len(member.extra))
    packed = struct.pack("<4s5H3L2H", *head)
    return packed + name + member.extra + member.packed() + member.descriptor


def _central(member: Member, place: int) -> bytes:
    lengths = (len(member.name), len(member.extra), 0, member.disk, 0)
    start = (b"PK\1\2", 0x31E, 20, member.flags, member.method, 0, 33)
    numbers = (*member.sizes(), *lengths, member.mode << 16, place)
    return struct.pack("<4s6H3L5H2L", *start, *numbers) + member.name + member.extra


def _record_line(name: str, content: str | bytes) -> str:
    data = content if isinstance(content, bytes) else content.encode()
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([name, f"sha256={digest}", len(data)])
    return line.getvalue()


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()
    return key if bare else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    # JSON's spelling of strings, numbers and booleans is TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
