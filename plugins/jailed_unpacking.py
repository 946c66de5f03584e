"""Unpacks archives of strangers inside a jail, so that a hole in a decompressor or in Python's
compiler is a hole into an empty room.
"""

import json
from pathlib import Path
from typing import Any

from hotswap.lib.errors import HotSwapError, UnavailableError
from plugins import artifact
from plugins.artifact_check import artifact_bounds, refused
from plugins.layers import Unpack
from sandbox.engine.jail import JailSettings
from sandbox.engine.oneshot import OneShotResult, run_once_blocking
from sandbox.engine.result import JailUnavailable
from sandbox.engine.spec import Limits

PACKAGE = Path(artifact.__file__).parent
# tmp_mb also bounds each file that is written, so it is as large as the largest entry may be.
LIMITS = Limits(memory_mb=512, cpu_seconds=60, wall_seconds=120, pids=4, tmp_mb=64)


def unpack_in_jail(jail: JailSettings, *, dependency: bool = False) -> Unpack:
    """For ``LayerCache``: raises ``ArtifactRefusedError`` for what is hostile, ``UnavailableError``
    where this machine has no jail. ``dependency``: wheels need no manifest.
    """
    bounds = artifact_bounds()
    command, sizes = "unpack-dependency", []
    if not dependency:
        command, sizes = "unpack", [str(bounds.archive_bytes), str(bounds.unpacked_bytes)]

    def unpack(source: Path, directory: Path) -> None:
        _run(jail, [command, "/input/artifact.zip", "/output", *sizes], source, directory)

    return unpack


def inspect_wheel(jail: JailSettings, path: Path, filename: str) -> dict[str, Any]:
    """``requires`` and ``native_files`` of a dependency's wheel, once all of it was checked.

    Raises as what ``unpack_in_jail`` returns does.
    """
    result = _run(jail, ["inspect-dependency", "/input/artifact.zip", filename], path, None)
    answer = json.loads(result.output)
    if not isinstance(answer, dict):
        raise refused("unpacking_failed", f"{filename} could not be read.")
    return answer


def _run(
    jail: JailSettings, arguments: list[str], source: Path, writable: Path | None
) -> OneShotResult:
    try:
        result = run_once_blocking(
            PACKAGE / "__main__.py",
            arguments,
            read_only=_inputs(source),
            writable=writable,
            limits=LIMITS,
            jail=jail,
        )
    except JailUnavailable as error:
        raise UnavailableError(f"Nothing can be unpacked here: {error}") from error
    if not result.ok:
        raise _failure(result)
    return result


def _inputs(source: Path) -> dict[str, Path]:
    """The archive, and our package file by file: a jail's uid may not reach the checkout."""
    modules = {f"artifact/{path.name}": path for path in PACKAGE.glob("*.py")}
    return {"artifact.zip": source, **modules}


def _failure(result: OneShotResult) -> HotSwapError:
    try:
        answer = json.loads(result.output)
        return refused(str(answer["code"])[:64], str(answer["message"])[:500])
    except (ValueError, KeyError, TypeError):
        last = result.log.strip().splitlines()[-1:] or [result.message]
        return refused("unpacking_failed", f"The artifact could not be unpacked: {last[0][:300]}.")
