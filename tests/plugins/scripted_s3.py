"""A server on loopback that answers as it is told, for what a real one does only on bad days."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plugins.storage import ArtifactStore
from plugins.storage.s3 import S3Artifacts, client_config
from tests.plugins.storages import DATA

BUSY = (503, b"<Error><Code>SlowDown</Code><Message>busy</Message></Error>")
DENIED = (403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
FOUND = (200, DATA)


class Server(ThreadingHTTPServer):
    """Answers each request with the next of ``answers`` (the last one again and again)."""

    daemon_threads = True

    def __init__(self, *answers) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.bodies = list(answers), [], []
        self.release = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        server.requests.append(self.path)
        server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        answer = server.answers[min(len(server.requests), len(server.answers)) - 1]
        if answer is None:
            server.release.wait()
            return
        status, body, *rest = answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + sum(rest)))
        self.end_headers()
        self.wfile.write(body)
        if rest:  # the rest of the body never comes
            server.release.wait()

    do_HEAD = do_PUT = do_GET  # noqa: N815 - the name that the base looks for

    def log_message(self, *_) -> None:
        pass


@contextmanager
def serving(*answers, region="us-east-1") -> Iterator[tuple[Server, ArtifactStore]]:
    server = Server(*answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    storage = S3Artifacts(
        bucket_name="artifacts",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        access_key="key",
        secret_key="secret",
        region_name=region,
        client_config=client_config("path", read_seconds=0.3),
    )
    try:
        yield server, ArtifactStore(storage)
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
