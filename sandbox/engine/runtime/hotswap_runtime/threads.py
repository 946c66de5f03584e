"""Several calls at a time in one process, for manifests that ask for it. Imported only then."""

from __future__ import annotations

import threading
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .loop import Loop


def dispatch_to_threads(
    loop: Loop, count: int
) -> tuple[Callable[[dict[str, Any]], None], Callable[..., None]]:
    """Start ``count`` workers; how to hand a call to them, and how to send from any of them."""
    calls: SimpleQueue[dict[str, Any]] = SimpleQueue()
    lock = threading.Lock()
    send_alone = loop.wire.send

    def send(*bodies: bytes) -> None:
        with lock:
            send_alone(*bodies)

    def work() -> None:
        while True:
            loop.call(calls.get())

    for number in range(count):
        threading.Thread(target=work, name=f"call-{number}", daemon=True).start()
    return calls.put, send
