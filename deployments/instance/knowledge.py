"""What this process knows now: the snapshot, how old it is, its peers. Replaced, never changed."""

import time
from dataclasses import dataclass

from deployments.instance.database import Peer
from deployments.instance.facts import Snapshot
from deployments.instance.identity import Identity

# Polls come twice a second; this much silence is no accident any more.
CUT_OFF_SECONDS = 5.0


@dataclass(slots=True)
class Knowledge:
    """One for each process. Calls read it, the follower writes it, both on the event loop."""

    identity: Identity
    boot: str
    stale_limit_seconds: float
    snapshot: Snapshot | None = None
    confirmed_at: float = 0.0
    peers: tuple[Peer, ...] = ()
    kept_instances: int = 1
    is_ready: bool = False
    is_stopping: bool = False

    def stale_seconds(self) -> float:
        """0 while connected, else the age of what is known."""
        age = time.time() - self.confirmed_at
        return age if age > CUT_OFF_SECONDS else 0.0

    def is_expired(self) -> bool:
        return time.time() - self.confirmed_at > self.stale_limit_seconds

    def live_instances(self) -> int:
        """This one included; what was known last while cut off."""
        return max(1, len(self.peers) or self.kept_instances)
