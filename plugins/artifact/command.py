"""The command line that runs inside the jail; it prints one JSON object and nothing else."""

import json
import sys
from dataclasses import replace

from .contents import inspect_artifact
from .errors import ArtifactError
from .limits import ARTIFACT
from .unpacking import unpack_artifact

USAGE = (
    "usage: inspect IN | inspect-dependency IN NAME | unpack IN OUT [BYTES UNPACKED_BYTES] | "
    "unpack-dependency IN OUT"
)
REFUSED, MISUSED = 3, 2


def main(arguments: list[str]) -> int:
    """Exit status 0, or 3 with ``code`` and ``message`` when the artifact is refused."""
    try:
        answer = _run(arguments)
    except ArtifactError as error:
        answer, status = {"code": error.code, "message": error.message}, REFUSED
    else:
        status = 0 if answer else MISUSED
    sys.stdout.write(json.dumps(answer or {"code": "usage", "message": USAGE}) + "\n")
    return status


def _run(arguments: list[str]) -> dict[str, object]:
    match arguments:
        case ["inspect", source]:
            contents = inspect_artifact(source)
            return {
                "manifest_text": contents.manifest_text,
                "entries": len(contents.entries),
                "unpacked_bytes": contents.unpacked_bytes,
                "native_files": list(contents.native_files),
            }
        case ["inspect-dependency", source, filename]:
            return _wheel(source, filename)
        case ["unpack", source, directory]:
            return {"unpacked_bytes": unpack_artifact(source, directory)}
        case ["unpack", source, directory, most, unpacked]:
            bounds = replace(ARTIFACT, archive_bytes=int(most), unpacked_bytes=int(unpacked))
            return {"unpacked_bytes": unpack_artifact(source, directory, bounds=bounds)}
        case ["unpack-dependency", source, directory]:
            size = unpack_artifact(source, directory, require_manifest=False)
            return {"unpacked_bytes": size}
    return {}


def _wheel(source: str, filename: str) -> dict[str, object]:
    """A wheel of somebody else's: its own promises hold, and it says what it needs."""
    contents = inspect_artifact(source, filename=filename, require_manifest=False)
    if contents.wheel is None:
        raise ArtifactError("bad_wheel", "The wheel has no .dist-info directory.")
    return {
        "requires": list(contents.wheel.requires),
        "native_files": list(contents.native_files),
        "unpacked_bytes": contents.unpacked_bytes,
    }
