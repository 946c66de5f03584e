"""Uploads at the same moment, and uploads that break off: one version or none, no halves."""

import errno
import os
import resource
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections

from hotswap.lib.issuing import issue_access_token
from plugins import intake
from plugins.models import PluginVersion
from plugins.storage import directory
from tests.artifacts import plugin_zip
from tests.factories import make_plugin, make_user
from tests.waiting import wait_until

LARGE = plugin_zip({"noise.bin": os.urandom(3 << 20)})


def stored(artifacts):
    """Every file of the storage, also those that lists pass over."""
    return [path.name for path in artifacts.rglob("*") if not path.is_dir()]


def send_at_once(clients, contents):
    """Each client uploads its content in a thread of its own; the answers in their order."""
    answers = [None] * len(contents)

    def send(place):
        sent = {"artifact": SimpleUploadedFile("echo.zip", contents[place])}
        address = "/api/v1/plugins/echo/versions"
        answers[place] = clients[place].post(address, sent, format="multipart")
        connections.close_all()

    threads = [threading.Thread(target=send, args=[place]) for place in range(len(contents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


SAME = plugin_zip()
CROWDS = {
    "the same bytes": [SAME, SAME, SAME],
    "other bytes of the same version": [plugin_zip({f"n{n}.txt": ""}) for n in range(3)],
}


@pytest.mark.parametrize("contents", CROWDS.values(), ids=CROWDS)
def test_of_uploads_at_once_exactly_one_wins(
    transactional_db, as_user, artifacts, spool, monkeypatch, contents
):
    """P09: all have passed every check before the first has its row."""
    bob = make_user("bob", role="Developer")
    make_plugin("echo", owner=bob)
    together = threading.Barrier(len(contents), timeout=30)
    monkeypatch.setattr(intake, "CHECKS", (*intake.CHECKS, lambda _: together.wait()))

    answers = send_at_once([as_user(bob) for _ in contents], contents)

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201, 409, 409], [answer.content for answer in answers]
    lost = [answer.json()["error"]["code"] for answer in answers if answer.status_code == 409]
    assert lost == ["version_exists"] * 2
    version = PluginVersion.objects.get()
    assert stored(artifacts) == [version.artifact_digest]
    assert not list(spool.iterdir())


def test_bytes_that_another_upload_needs_survive_one_that_fails(
    transactional_db, as_user, artifacts, monkeypatch
):
    """The first fails in its transaction while the second has passed every check."""
    bob = make_user("bob", role="Developer")
    make_plugin("echo", owner=bob)
    together = threading.Barrier(2, timeout=30)
    first, second_is_there = threading.Lock(), threading.Event()

    def fail_first(*_):
        if not first.acquire(blocking=False):
            second_is_there.set()
            return
        wait_until(lambda: second_is_there.is_set() or is_waited_for(), what="the second upload")
        raise RuntimeError("lost")

    monkeypatch.setattr(intake, "CHECKS", (*intake.CHECKS, lambda _: together.wait()))
    monkeypatch.setattr(intake, "ROWS", (fail_first, *intake.ROWS))

    clients = [as_user(bob) for _ in range(2)]
    for client in clients:
        client.raise_request_exception = False
    answers = send_at_once(clients, [SAME, SAME])

    assert sorted(answer.status_code for answer in answers) == [201, 500]
    assert stored(artifacts) == [PluginVersion.objects.get().artifact_digest]


def is_waited_for():
    """Whether somebody waits for an advisory lock of this database."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_storage_that_fails_in_the_middle_leaves_neither_row_nor_object(
    echo, upload, nothing_changes, monkeypatch
):
    def fill(source, copy):
        copy.write(source.read(1 << 20))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(directory, "_write", fill)

    with nothing_changes():
        answer = upload(LARGE)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "storage_unavailable")
    assert "No space left" in error["message"]


@pytest.mark.django_db
@pytest.mark.parametrize("error", [RuntimeError("lost"), OSError("lost")])
def test_a_row_that_cannot_be_written_leaves_no_object(
    echo, upload, nothing_changes, monkeypatch, error
):
    def fail(*_):
        raise error

    monkeypatch.setattr(intake, "ROWS", (*intake.ROWS, fail))

    with nothing_changes():
        answer = upload(plugin_zip())

    assert answer.status_code == 500
    assert "lost" not in answer.json()["error"]["message"]


@contextmanager
def files_of_at_most(length):
    """As on a full disk, for this process alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.django_db
def test_a_disk_that_is_full_is_said_to_be(echo, upload, nothing_changes):
    with nothing_changes(), files_of_at_most(2 << 20):
        answer = upload(LARGE)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "unavailable")
    assert "cannot be kept on this server's disk" in error["message"]
    assert "Try again" in error["message"]


@pytest.mark.django_db
def test_an_upload_has_no_name_on_the_disk_while_it_is_checked(echo, upload, spool, monkeypatch):
    """A process that is killed then leaves nothing."""
    seen = []

    def look(incoming):
        seen.append((incoming.artifact.path.stat().st_size, list(spool.iterdir())))

    monkeypatch.setattr(intake, "CHECKS", (look, *intake.CHECKS))

    assert upload(LARGE).status_code == 201
    assert seen == [(len(LARGE), [])]


def begin(web, token, length):
    """A connection that has sent the head of an upload and a good part of its body."""
    head = (
        "POST /api/v1/plugins/echo/versions HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n"
        'Content-Disposition: form-data; name="artifact"; filename="echo.zip"\r\n\r\n'
    )
    connection = socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2])))
    connection.sendall(head.encode() + LARGE[: 2 << 20])
    return connection


def open_bytes(pid, directory):
    """The bytes of the files below the directory that the process's session has open."""
    sizes = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if os.getsid(int(process.name)) == pid:
                open_files = [fd for fd in (process / "fd").iterdir() if fd.is_symlink()]
                inside = [fd for fd in open_files if str(directory) in str(fd.readlink())]
                sizes += [fd.stat().st_size for fd in inside]
    return sum(sizes)


@pytest.mark.slow
def test_a_web_process_killed_in_an_upload_leaves_nothing(processes, tmp_path):
    bob = make_user("bob", role="Developer")
    make_plugin("echo", owner=bob)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    web = processes.start_web(TMPDIR=str(temporary))
    with begin(web, issue_access_token(bob), len(LARGE) + 500):
        wait_until(lambda: open_bytes(web.pid, temporary) > 1 << 20, what="half of the upload")
        web.kill()

    assert processes.start_web(TMPDIR=str(temporary)).is_ready()
    assert [path for path in temporary.rglob("*") if not path.is_dir()] == []
    assert not PluginVersion.objects.exists()
