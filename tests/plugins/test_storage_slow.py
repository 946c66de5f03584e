"""A server that is slow, busy or lost: bounded attempts, and only of what may pass."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from plugins.storage import ArtifactMissingError, ArtifactStore, StorageError
from plugins.storage.s3 import ATTEMPTS, S3Artifacts, client_config
from tests.plugins.storages import DATA, DIGEST

BUSY = (503, b"<Error><Code>SlowDown</Code><Message>busy</Message></Error>")
DENIED = (403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
FOUND = (200, DATA)


class Server(ThreadingHTTPServer):
    """Answers each request with the next of ``answers`` (the last one again and again)."""

    daemon_threads = True

    def __init__(self, *answers) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.release = list(answers), [], threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        server.requests.append(self.path)
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

    do_HEAD = do_GET  # noqa: N815 - the name that the base looks for

    def log_message(self, *_) -> None:
        pass


@contextmanager
def serving(*answers) -> Iterator[tuple[Server, ArtifactStore]]:
    server = Server(*answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    storage = S3Artifacts(
        bucket_name="artifacts",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        access_key="key",
        secret_key="secret",
        region_name="us-east-1",
        client_config=client_config("path", read_seconds=0.3),
    )
    try:
        yield server, ArtifactStore(storage)
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()


def test_a_server_that_never_answers_is_given_up_after_few_attempts():
    with serving(None) as (server, store):
        with pytest.raises(StorageError, match=r"does not answer in time.*HOTSWAP_S3_ENDPOINT_URL"):
            store.check()
        assert len(server.requests) == ATTEMPTS


def test_a_busy_server_is_asked_again_but_not_for_ever(tmp_path):
    with serving(BUSY) as (server, store):
        with pytest.raises(StorageError, match="slow down"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert len(server.requests) == ATTEMPTS


def test_what_passes_is_not_noticed(tmp_path):
    with serving(BUSY, FOUND) as (server, store):
        store.fetch(DIGEST, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == DATA
        assert len(server.requests) == 2


def test_a_refusal_is_not_repeated(tmp_path):
    with serving(DENIED) as (server, store):
        with pytest.raises(StorageError, match="access is denied"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert len(server.requests) == 1


def test_a_missing_object_is_not_asked_for_again():
    with serving((404, b"")) as (server, store):
        with pytest.raises(ArtifactMissingError):
            store.size(DIGEST)
        assert len(server.requests) == 1


@pytest.mark.parametrize("missing", [5, 1 << 20])
def test_a_download_that_stops_halfway_leaves_nothing(tmp_path, missing):
    with serving((200, DATA[:5], missing)) as (_, store):
        with pytest.raises(StorageError, match=r"127\.0\.0\.1"):
            store.fetch(DIGEST, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


def test_a_server_that_answers_nonsense_is_named():
    with serving((500, b"<html>gateway</html>")) as (server, store):
        with pytest.raises(StorageError, match=r"127\.0\.0\.1"):
            store.size(DIGEST)
        assert len(server.requests) == ATTEMPTS
