"""How many jailed processes one instance may have, and who gives way when all are taken."""

from typing import Protocol

from sandbox.engine.watch import Watch


class Evictable(Protocol):
    """A pool with processes that nobody is using right now."""

    def oldest_idle(self) -> float | None:
        """When its least recently used idle process was last used; None without one."""

    def end_oldest_idle(self) -> None:
        """End that process."""


class ProcessBudget:
    """Shared by all pools of an instance, together with their one timer."""

    def __init__(self, processes: int = 256) -> None:
        self.processes = processes
        self.used = 0
        self.watch = Watch()
        self.pools: set[Evictable] = set()

    def try_take(self) -> bool:
        """Reserve a place without disturbing anybody."""
        if self.used >= self.processes:
            return False
        self.used += 1
        return True

    def take(self) -> bool:
        """Reserve a place.

        The least recently used idle process of the instance makes room when there is none.
        """
        if self.try_take():
            return True
        self._evict()
        return self.try_take()

    def give_back(self) -> None:
        """A process ended."""
        self.used -= 1

    def _evict(self) -> None:
        idle = [
            (since, id(pool), pool)
            for pool in self.pools
            if (since := pool.oldest_idle()) is not None
        ]
        if idle:
            min(idle)[2].end_oldest_idle()
