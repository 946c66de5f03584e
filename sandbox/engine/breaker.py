"""Stops a crash loop.

8 failures within 30 s open it; then one try every 30 s until one succeeds.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Breaker:
    """Times are seconds on one monotonic clock that the caller reads."""

    failures: int = 8
    window_seconds: float = 30
    open_seconds: float = 30
    _failed_at: deque[float] = field(default_factory=deque)
    _opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether tries are being held back."""
        return self._opened_at is not None

    def has_recent_failures(self, now: float) -> bool:
        """Whether forgetting it would forget something."""
        return self.is_open or bool(
            self._failed_at and self._failed_at[-1] > now - self.window_seconds
        )

    def allows(self, now: float) -> bool:
        """Whether to try now.

        Half open, only the first who asks may, until its try has shown something.
        """
        if self._opened_at is None:
            return True
        if self.seconds_left(now) > 0:
            return False
        self._opened_at = now
        return True

    def seconds_left(self, now: float) -> float:
        """Until the next try; 0 when closed or due."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.open_seconds - now)

    def fail(self, now: float) -> None:
        """Count a failure."""
        self._failed_at.append(now)
        while self._failed_at[0] < now - self.window_seconds:
            self._failed_at.popleft()
        if self._opened_at is not None or len(self._failed_at) >= self.failures:
            self._opened_at = now

    def succeed(self) -> None:
        """A try succeeded while open: close it. Failures in the window still count."""
        if self._opened_at is not None:
            self._opened_at = None
            self._failed_at.clear()
