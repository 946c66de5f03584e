"""The sweep as a background task: a piece a minute, from where the last one ended.

How far it came is in the cache. When that is lost the next night begins again, and a piece that
runs twice only reads twice.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog
from django.core.cache import cache
from django.utils import timezone

from plugins.storage import ArtifactStore
from plugins.sweep.findings import Problem
from plugins.sweep.reporting import report
from plugins.sweep.walk import Looked, Sweep

logger = structlog.get_logger(__name__)

RUNNING = "storage-sweep:running"
LAST = "storage-sweep:last"
LOCK = "storage-sweep:lock"
# Well below the broker's visibility timeout, after which another worker would begin the same piece.
PIECE_SECONDS = 20
LOCK_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one sweep; ``finished_at`` is a time of the epoch, 0 while it runs."""

    started_at: float
    after: str = ""
    objects: int = 0
    bytes: int = 0
    found: Mapping[str, int] = field(default_factory=dict)
    finished_at: float = 0

    def count(self, problem: Problem) -> int:
        return self.found.get(problem, 0)

    def past(self, looked: Looked) -> "Progress":
        found = dict(self.found)
        if looked.finding:
            problem = looked.finding.problem
            found[problem] = self.count(problem) + 1
        return replace(
            self,
            after=looked.key,
            objects=self.objects + 1,
            bytes=self.bytes + looked.size,
            found=found,
        )


def begin_sweep() -> None:
    """Unless one is under way, which then goes on."""
    cache.add(RUNNING, asdict(Progress(started_at=timezone.now().timestamp())), timeout=None)


def continue_sweep(seconds: float = PIECE_SECONDS) -> Progress | None:
    """One piece of the sweep that is under way; None when none is, or another worker has it."""
    if cache.get(RUNNING) is None or not cache.add(LOCK, 1, timeout=LOCK_SECONDS):
        return None
    try:
        return _continue(time.monotonic() + seconds)
    finally:
        cache.delete(LOCK)


def last_sweep() -> Progress | None:
    """The newest that came to its end."""
    return _progress(cache.get(LAST))


def _continue(until: float) -> Progress | None:
    progress = _progress(cache.get(RUNNING))
    if progress is None:
        return None
    for looked in Sweep(ArtifactStore()).walk(progress.after):
        progress = progress.past(looked)
        if looked.finding:
            report(looked.finding)
        # After each object: a worker that dies begins again at the one it died at.
        cache.set(RUNNING, asdict(progress), timeout=None)
        if time.monotonic() > until:
            return progress
    return _finish(progress)


def _finish(progress: Progress) -> Progress:
    done = replace(progress, finished_at=timezone.now().timestamp())
    cache.set(LAST, asdict(done), timeout=None)
    cache.delete(RUNNING)
    logger.info("storage_swept", **asdict(done))
    return done


def _progress(kept: dict[str, Any] | None) -> Progress | None:
    return Progress(**kept) if kept else None
