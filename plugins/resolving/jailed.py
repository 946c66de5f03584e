"""Runs the resolver in its jail, with the broker as its only way out."""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import packaging
import resolvelib
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from plugins.resolving import inside
from plugins.resolving.broker import NAME, SHA256, IndexBroker
from plugins.resolving.errors import ResolutionError
from sandbox.engine.conversation import converse
from sandbox.engine.jail import JailSettings
from sandbox.engine.oneshot import OneShotResult
from sandbox.engine.result import JailUnavailable
from sandbox.engine.spec import Limits

PROGRAM = Path(inside.__file__).parent
LIBRARIES = (resolvelib, packaging)
LIMITS = Limits(
    memory_mb=768, cpu_seconds=120, wall_seconds=600, pids=4, tmp_mb=1, output_bytes=4 << 20
)
MAX_PACKAGES = 100
_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """A wheel that the jail chose. ``lines`` is Requires-Dist of the METADATA it read."""

    name: str
    version: str
    filename: str
    url: str
    sha256: str
    requires: tuple[str, ...]
    lines: tuple[str, ...]


def choose_wheels(
    requirements: Sequence[str], *, native: bool, broker: IndexBroker, jail: JailSettings
) -> list[Choice]:
    """The wheels that meet the requirements, or ``ResolutionError``. Nothing is built or run."""
    with tempfile.TemporaryDirectory(prefix="hotswap-resolve-") as directory:
        task = Path(directory, "task.json")
        task.write_text(json.dumps({"requirements": list(requirements), "native": native}))
        try:
            result = converse(
                PROGRAM,
                answer=lambda question: _answer(question, broker),
                read_only={"task.json": task, **library_files()},
                limits=LIMITS,
                jail=jail,
            )
        except JailUnavailable as error:
            raise ResolutionError(f"Nothing can be resolved here: {error}") from error
    return _choices(result)


def library_files() -> dict[str, Path]:
    """The two libraries file by file: a jail's uid may not reach our environment."""
    found = {}
    for library in LIBRARIES:
        home = Path(str(library.__file__)).parent
        for path in home.rglob("*.py"):
            found[f"lib/{path.relative_to(home.parent)}"] = path
    return found


def _answer(question: dict[str, Any], broker: IndexBroker) -> bytes:
    """One line of JSON, then the bytes. Questions come out of a jail: nothing is taken on trust."""
    match question:
        case {"ask": "project", "name": str(name)}:
            page = broker.project(name)
            if page is None:
                return _frame({"found": False}, b"")
            head = {"found": True, "type": page.content_type, "url": page.url}
            return _frame(head, page.body)
        case {"ask": "metadata", "url": str(url), "sha256": str(sha256)}:
            body = broker.metadata(url, sha256)
            return _frame({"found": body is not None}, body or b"")
        case {"ask": "wheel", "url": str(url), "sha256": str(sha256)}:
            return _frame({"found": True}, broker.wheel(url, sha256).read_bytes())
    raise ResolutionError("The resolver asked for something that it must not have.")


def _frame(head: dict[str, object], body: bytes) -> bytes:
    return json.dumps(head).encode() + b"\n" + body


def _choices(result: OneShotResult) -> list[Choice]:
    try:
        answer = json.loads(result.output)
        if not result.ok:
            code, message = str(answer["code"]), str(answer["message"])[:2000]
            raise ResolutionError(message, code=code if _CODE.fullmatch(code) else None)
        return _checked([Choice(**_fields(entry)) for entry in answer["packages"]])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        last = result.log.strip().splitlines()[-1:] or [result.message or repr(error)]
        raise ResolutionError(f"The resolver did not finish: {last[0][:300]}.") from error


def _fields(entry: dict[str, Any]) -> dict[str, Any]:
    texts = {key: str(entry[key]) for key in ("name", "version", "filename", "url", "sha256")}
    lists = {key: tuple(map(str, entry[key])) for key in ("requires", "lines")}
    return texts | lists


def _checked(choices: list[Choice]) -> list[Choice]:
    """What a jail says is checked for its form; its wheels are checked byte by byte later."""
    names = [choice.name for choice in choices]
    if len(choices) > MAX_PACKAGES or names != sorted(set(names)):
        raise ValueError("too many packages, or not one version of each")
    for choice in choices:
        _check_one(choice, set(names))
    return choices


def _check_one(choice: Choice, names: set[str]) -> None:
    try:
        name, version, _, _ = parse_wheel_filename(choice.filename)
    except InvalidWheelFilename as error:
        raise ValueError(f"{choice.filename[:100]!a} is no wheel") from error
    is_same = name == choice.name == canonicalize_name(choice.name) and str(version) == (
        choice.version
    )
    if not (is_same and NAME.fullmatch(choice.name) and SHA256.fullmatch(choice.sha256)):
        raise ValueError(f"{choice.filename[:100]!a} is not {choice.name} {choice.version}")
    if not set(choice.requires) <= names:
        raise ValueError(f"{choice.name} needs what is not there")
