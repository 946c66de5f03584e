"""Chosen wheels become artifacts: fetched, compared, looked into in a jail, stored by digest."""

from collections.abc import Iterable
from pathlib import Path

from plugins.artifact.contents import native_refused
from plugins.artifact_check import ArtifactRefusedError
from plugins.jailed_unpacking import inspect_wheel
from plugins.locks import LockedPackage
from plugins.resolving.broker import IndexBroker, Note
from plugins.resolving.errors import ResolutionError
from plugins.resolving.jailed import Choice
from plugins.storage import ArtifactStore
from sandbox.engine.jail import JailSettings


def store_wheels(
    choices: Iterable[Choice], *, native: bool, broker: IndexBroker, jail: JailSettings, note: Note
) -> list[LockedPackage]:
    """Every wheel in the artifact storage under its own sha256, or ``ResolutionError``."""
    return [_store(choice, native, broker, jail, note) for choice in choices]


def _store(
    choice: Choice, native: bool, broker: IndexBroker, jail: JailSettings, note: Note
) -> LockedPackage:
    path = broker.wheel(choice.url, choice.sha256)
    note(f"Checking {choice.filename}")
    _check(choice, path, native, jail)
    ArtifactStore().save(path, choice.sha256)
    return LockedPackage(
        name=choice.name,
        version=choice.version,
        filename=choice.filename,
        sha256=choice.sha256,
        bytes=path.stat().st_size,
        requires=choice.requires,
    )


def _check(choice: Choice, path: Path, native: bool, jail: JailSettings) -> None:
    """The refusals of artifacts, and that the wheel needs what its METADATA in the index said.

    Else an index could show one set of requirements and ship another.
    """
    try:
        found = inspect_wheel(jail, path, choice.filename)
    except ArtifactRefusedError as error:
        raise _refused(choice, error.code, error.message) from error
    if found["native_files"] and not native:
        refusal = native_refused(str(found["native_files"][0]))
        raise _refused(choice, refusal.code, refusal.message)
    if tuple(found["requires"]) != choice.lines:
        raise ResolutionError(
            f"{choice.filename} has other requirements than the index says of it.",
            code="dependency_tampered",
        )


def _refused(choice: Choice, code: str, message: str) -> ResolutionError:
    return ResolutionError(f"{choice.filename} is refused: {message}", code=code)
