"""Events of a deployment as server-sent events.

A stream holds a thread of the web server, so it ends after a minute and few are open at a time;
the browser comes back by itself with the number of the last event that it has seen.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse

from deployments.api.serializers import EventSerializer
from deployments.models import Deployment, DeploymentEvent
from deployments.models.deployment import ACTIVE
from hotswap.lib.errors import LimitExceededError

LONGEST_SECONDS = 60
POLL_SECONDS = 0.5
SILENCE_SECONDS = 10
MAX_STREAMS = 8
MAX_STREAMS_PER_USER = 2
RETRY_MILLISECONDS = 1000
BATCH = 200


class Streams:
    """Counts what is open in this process."""

    def __init__(self, most: int = MAX_STREAMS, most_per_user: int = MAX_STREAMS_PER_USER) -> None:
        self._lock = Lock()
        self._open: Counter[object] = Counter()
        self._most = most
        self._most_per_user = most_per_user

    def enter(self, user: object) -> None:
        """Raise ``LimitExceededError`` when there is no room for another."""
        with self._lock:
            if self._open[user] >= self._most_per_user or self._open.total() >= self._most:
                raise LimitExceededError(
                    "Too many event streams are open: close one, or poll the JSON list.",
                    code="too_many_streams",
                    retry_after_seconds=5,
                )
            self._open[user] += 1

    def leave(self, user: object) -> None:
        with self._lock:
            self._open[user] -= 1


STREAMS = Streams()


class EventStream(StreamingHttpResponse):
    """Leaves its place when the server closes it, however that comes about."""

    def __init__(self, deployment_id: UUID, after: int, user: object) -> None:
        STREAMS.enter(user)
        self._leave: Callable[[], None] | None = lambda: STREAMS.leave(user)
        super().__init__(follow(deployment_id, after), content_type="text/event-stream")
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"

    def close(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
        super().close()


def follow(
    deployment_id: UUID,
    after: int,
    *,
    seconds: float = LONGEST_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Events past ``after`` as they happen, until the deployment has ended or the time is over."""
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    ends_at, spoke_at = clock() + seconds, clock()
    while clock() < ends_at:
        # Read before the events, so that none of a deployment that ends meanwhile is missed.
        has_ended = not Deployment.objects.filter(pk=deployment_id, status__in=ACTIVE).exists()
        for event in _events(deployment_id, after):
            yield _frame(event)
            after, spoke_at = event.sequence, clock()
        if has_ended:
            yield "event: end\ndata: {}\n\n"
            return
        if clock() - spoke_at >= SILENCE_SECONDS:
            yield ": still here\n\n"
            spoke_at = clock()
        sleep(POLL_SECONDS)


def _events(deployment_id: UUID, after: int) -> list[DeploymentEvent]:
    rows = DeploymentEvent.objects.filter(deployment=deployment_id, sequence__gt=after)
    return list(rows.order_by("sequence")[:BATCH])


def _frame(event: DeploymentEvent) -> str:
    data: Any = EventSerializer(event).data
    return f"id: {event.sequence}\nevent: {event.kind}\ndata: {json.dumps(data)}\n\n"
