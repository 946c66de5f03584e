"""One timer for everything that can be late.

A timer per call would cost more than many calls do.
"""

import asyncio
import time
from typing import Protocol

TICK_SECONDS = 0.025
CHORE_SECONDS = 1.0


class Busy(Protocol):
    """A process with calls in flight."""

    def check(self, now: float) -> None:
        """End what is over a limit."""


class Waiting(Protocol):
    """A queue of calls.

    ``expire`` answers those whose deadline passed and tells whether any still wait.
    """

    def expire(self, now: float) -> bool: ...


class Chore(Protocol):
    """Somebody with slow work: idle ends, left-over groups, resuming logs."""

    def do_chores(self, now: float) -> None: ...


class Watch:
    """Asks the busy and the waiting 40 times a second while there are any, the chores once."""

    def __init__(self) -> None:
        self.busy: set[Busy] = set()
        self.waiting: set[Waiting] = set()
        self.chores: set[Chore] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._chore: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Call after adding to ``busy`` or ``waiting``."""
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(TICK_SECONDS, self._on_tick)

    def add_chore(self, chore: Chore) -> None:
        """Ask ``chore`` once a second until it is removed."""
        self.chores.add(chore)
        if self._chore is None:
            self._chore = asyncio.get_running_loop().call_later(CHORE_SECONDS, self._on_chore)

    def _on_tick(self) -> None:
        self._tick = None
        now = time.monotonic()
        try:
            for process in tuple(self.busy):
                process.check(now)
            for queue in tuple(self.waiting):
                if not queue.expire(now):
                    self.waiting.discard(queue)
        finally:  # whatever went wrong with one, the others keep their limits
            if self.busy or self.waiting:
                self.wake()

    def _on_chore(self) -> None:
        self._chore = None
        now = time.monotonic()
        try:
            for chore in tuple(self.chores):
                chore.do_chores(now)
        finally:
            if self.chores:
                self._chore = asyncio.get_running_loop().call_later(CHORE_SECONDS, self._on_chore)
