"""Several calls at a time in one process, for manifests that ask for it. Imported only then."""

import threading
from queue import SimpleQueue


def dispatch_to_threads(loop, count):
    """Start ``count`` workers; the functions that hand a call to them and that send under a lock."""
    calls = SimpleQueue()
    lock = threading.Lock()
    send_alone = loop.wire.send

    def send(*bodies):
        with lock:
            send_alone(*bodies)

    def work():
        while True:
            loop.call(calls.get())

    for number in range(count):
        threading.Thread(target=work, name="call-%d" % number, daemon=True).start()
    return calls.put, send
