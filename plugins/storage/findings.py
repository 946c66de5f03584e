"""What was found out about a storage, and the one object that is written to find it out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from secrets import token_bytes

from hotswap.lib.errors import HotSwapError
from plugins.storage.backend import Backend
from plugins.storage.errors import StorageError

PROBE = "probe/setupstorage"
RUN_SETUP = "run manage.py setupstorage"


class State(StrEnum):
    OK = "ok"
    DONE = "done"  # it did not hold and does now
    NOTE = "note"  # worth knowing, nothing to mend
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """``fix`` says what to do about what is wrong."""

    about: str
    state: State
    detail: str
    fix: str = ""


def refusal(about: str, error: HotSwapError) -> Finding:
    if isinstance(error, StorageError) and error.reason:
        return Finding(about, State.WRONG, error.reason, error.way_out)
    return Finding(about, State.WRONG, error.message, "see docs/storage.md")


def nothing() -> Iterator[Finding]:
    return iter(())


def probe(
    backend: Backend, while_there: Callable[[], Iterator[Finding]] = nothing
) -> Iterator[Finding]:
    """Write, read and delete one small object; ``while_there`` looks at it in between."""
    content = token_bytes(32)
    try:
        backend.delete(PROBE)  # a run that was killed may have left one
        backend.put(PROBE, BytesIO(content))
        yield from while_there()
        with backend.reading(PROBE) as chunks:
            is_same = b"".join(chunks) == content
        backend.delete(PROBE)
        is_gone = not backend.exists(PROBE)
    except HotSwapError as error:
        yield refusal("probe", error)
        return
    if is_same and is_gone:
        yield Finding("probe", State.OK, "an object was written, read and deleted")
    else:
        yield Finding(
            "probe",
            State.WRONG,
            f"{backend.describe()} does not give back what was written, or keeps what was deleted",
            "take out what caches or filters between HotSwap and the storage",
        )


def not_probed() -> Finding:
    return Finding("probe", State.NOTE, "nothing was written, because --check only looks")
