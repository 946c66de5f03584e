"""Leases of one installation's limits at one instance. Pure but for the clock that is handed in.

Of each limit, a tenth divided by the live instances is every instance's own reserve and is never
leased out. So what all of them use together stays within the limit, with Redis and without it.
"""

from dataclasses import dataclass
from math import ceil

WINDOW_SECONDS = 60
IDLE_SECONDS = 1.0
FEW_LEFT = 8
LARGEST_SLICE = 1000
USABLE_SECONDS = 10.0
RESERVED_SHARE = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """What an installation may use; 0 means nothing at all."""

    requests_per_minute: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class Excess:
    """Which limit is used up, and when to try again."""

    what: str
    limit: int
    retry_after: float


def reserve_of(limit: int, instances: int) -> int:
    return limit // (RESERVED_SHARE * max(1, instances))


def slice_of(limit: int, instances: int) -> int:
    """How much to lease at once: a few leases a second at full speed."""
    return max(FEW_LEFT, min(limit // (10 * max(1, instances)), LARGEST_SLICE))


@dataclass(slots=True)
class RateLease:
    """Slots of one minute of Redis' clock: ``taken`` were leased, ``left`` of them are unused."""

    limit: int = -1
    window: int = -1
    ends_at: float = 0.0
    taken: int = 0
    left: int = 0
    used_at: float = 0.0
    reserve_window: int = -1
    reserve_left: int = 0

    def take(self, limit: int, now: float) -> bool:
        """Use a slot that is here."""
        if self.left > 0 and now < self.ends_at and limit == self.limit:
            self.left -= 1
            self.used_at = now
            return True
        return False

    def granted(self, window: int, slots: int, ends_at: float) -> None:
        """More slots came; those of an earlier minute count for nothing."""
        if window != self.window:
            self.window, self.taken, self.left = window, 0, 0
        self.taken += slots
        self.left += slots
        self.ends_at = ends_at

    def relimit(self, limit: int) -> None:
        """Slots leased under another limit go back."""
        if limit != self.limit:
            self.limit = limit
            self.hand_back()

    def hand_back(self) -> bool:
        """Forget the unused slots; whether there were any for Redis to hear of."""
        had, self.left = self.left, 0
        self.taken -= had
        return had > 0

    def take_reserve(self, reserve: int, wall: float) -> bool:
        """One of this instance's own, by its own clock."""
        window = int(wall // WINDOW_SECONDS)
        if window != self.reserve_window:
            self.reserve_window, self.reserve_left = window, reserve
        if self.reserve_left <= 0:
            return False
        self.reserve_left -= 1
        return True


@dataclass(slots=True)
class ConcurrencyLease:
    """Slots to run calls in. A lease outlives every call that began while it could be used."""

    limit: int = -1
    held: int = 0
    in_use: int = 0
    peak: int = 0
    usable_until: float = 0.0
    few_left: bool = False
    used_at: float = 0.0

    def take(self, limit: int, reserve: int, now: float) -> bool:
        held = self.held if now < self.usable_until and limit == self.limit else 0
        if self.in_use >= held + reserve:
            return False
        self.in_use += 1
        self.peak = max(self.peak, self.in_use)
        self.used_at = now
        return True

    def release(self) -> bool:
        """A call ended; whether slots should go back now because others may wait for them."""
        self.in_use -= 1
        return self.few_left and self.held > self.in_use

    def trim(self) -> bool:
        """Keep what the last moment needed; whether anything was left over for Redis to hear of."""
        needed, self.peak = max(self.in_use, self.peak), self.in_use
        had, self.held = self.held, min(self.held, needed)
        return self.held < had


def seconds_left(seconds: float) -> int:
    """What Retry-After says: whole seconds, at least one."""
    return max(1, ceil(seconds))
