"""What must hold of a storage before it is trusted with artifacts, and how it is made so.

It may run any number of times: what holds already is left alone.
"""

from collections.abc import Iterator

from hotswap.lib.errors import HotSwapError
from plugins.storage.backend import Backend
from plugins.storage.bucket import Bucket
from plugins.storage.bucket_setup import BucketSetup
from plugins.storage.directory import Directory
from plugins.storage.findings import RUN_SETUP, Finding, State, not_probed, probe, refusal


def examine_storage(backend: Backend, *, change: bool) -> Iterator[Finding]:
    """Every finding in order, up to the first that makes the others pointless.

    Without ``change`` nothing is made, set or written.
    """
    try:
        if isinstance(backend, Bucket):
            yield from BucketSetup(backend, change=change).findings()
        elif isinstance(backend, Directory):
            yield from _examine_directory(backend, change)
    except HotSwapError as error:
        yield refusal("storage", error)


def _examine_directory(backend: Directory, change: bool) -> Iterator[Finding]:
    existed = backend.root.is_dir()
    if not existed and not change:
        yield Finding("storage", State.WRONG, f"{backend.root} does not exist", RUN_SETUP)
        return
    backend.check()
    yield Finding("storage", State.OK if existed else State.DONE, backend.describe())
    if backend.root.stat().st_mode & 0o022:
        yield Finding(
            "rights",
            State.WRONG,
            f"others may write to {backend.root}",
            f"chmod go-w {backend.root}",
        )
    yield Finding(
        "versions",
        State.NOTE,
        "a directory keeps no earlier versions: back it up, or use a bucket in production",
    )
    yield from probe(backend) if change else (not_probed(),)
