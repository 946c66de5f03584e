"""The runtime as jails see it.

A compiled copy by digest, below a directory that a jail's uid can traverse.

The checkout itself may lie where only root can read, and a jail could never write compiled files
back into it.
"""

import hashlib
import py_compile
import shutil
from pathlib import Path

from sandbox.engine.interpreter import Interpreter, publish

SOURCE = Path(__file__).parent / "runtime"


def runtime_files() -> list[Path]:
    """Every source file that runs inside."""
    return sorted(SOURCE.rglob("*.py"))


def install_runtime(directory: Path, interpreter: Interpreter) -> Path:
    """The directory to bind as /runtime.

    Made when this content was never installed for this interpreter.
    """
    digest = hashlib.sha256(interpreter.version.encode())
    for path in runtime_files():
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    target = directory / digest.hexdigest()[:16]
    if not target.exists():
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        publish(fill, target)
    return target


def fill(target: Path) -> None:
    """Sources and compiled files. Unchecked ones, because nothing below is ever written again."""
    for path in runtime_files():
        copy = target / path.relative_to(SOURCE)
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o644)
        compiled = py_compile.compile(
            str(copy), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        if compiled:
            Path(compiled).parent.chmod(0o755)
            Path(compiled).chmod(0o644)
