"""100 MB to a real web process and back: the digest stays, the memory does not grow with it."""

import hashlib
import os
import re
import socket
import zipfile
from pathlib import Path

import httpx
import pytest

from hotswap.lib.issuing import issue_access_token
from tests.artifacts import SOURCE, manifest_text, plugin_zip
from tests.factories import make_plugin
from tests.s3 import ACCESS_KEY, SECRET_KEY, s3_server  # noqa: F401 - a fixture
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MB = 1 << 20
SIZE = 100 * MB
MOST_GROWTH = 20 * MB
VERSIONS = "/api/v1/plugins/echo/versions"


def processes_of(leader):
    """The process and its children: the server's and those that answer."""
    found = [leader]
    for task in Path(f"/proc/{leader}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += processes_of(int(child))
    return found


def peak_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def write_artifact(path, version):
    """Random bytes do not shrink; ten entries, because one may not be so large."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("hotswap.toml", manifest_text(version=version))
        archive.writestr("echo.py", SOURCE)
        for number in range(10):
            archive.writestr(f"data/{number}.bin", os.urandom(SIZE // 10))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_directory(request):
    return {}


def in_bucket(request):
    server = request.getfixturevalue("s3_server")
    return {
        "HOTSWAP_S3_BUCKET": server.new_bucket(),
        "HOTSWAP_S3_ENDPOINT_URL": server.endpoint,
        "HOTSWAP_S3_ACCESS_KEY_ID": ACCESS_KEY,
        "HOTSWAP_S3_SECRET_ACCESS_KEY": SECRET_KEY,
        "HOTSWAP_S3_ENCRYPTION": "none",
    }


@pytest.fixture
def storage(request):
    """What the settings say of where artifacts are kept."""
    return getattr(request, "param", in_directory)(request)


@pytest.fixture
def web(processes, storage):
    limit = str(128 * MB)
    return processes.start_web(
        **storage,
        HOTSWAP_UPLOAD_LIMIT_BYTES=limit,
        HOTSWAP_ARTIFACT_LIMIT_BYTES=limit,
        HOTSWAP_UNPACKED_LIMIT_BYTES=limit,
    )


@pytest.fixture
def client(web, bob):
    make_plugin("echo", owner=bob)
    headers = {"Authorization": f"Bearer {issue_access_token(bob)}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:
        yield client


def in_one_request(client, path, digest):
    with path.open("rb") as file:
        return client.post(VERSIONS, files={"artifact": ("echo.zip", file)})


def presigned(client, path, digest):
    body = {"filename": "echo.zip", "digest": digest, "size_bytes": path.stat().st_size}
    started = client.post(f"{VERSIONS}/uploads", json=body)
    assert started.status_code == 201, started.text
    upload = started.json()
    headers = {**upload["headers"], "Content-Length": str(path.stat().st_size)}
    with path.open("rb") as file:
        put = httpx.put(upload["url"], content=file, headers=headers, timeout=120)
    assert put.status_code in (200, 204), put.text
    return client.post(f"{VERSIONS}/uploads/{upload['id']}/complete", json={})


def download(client, version):
    """The digest of what came, and the one that was told."""
    digest, address = hashlib.sha256(), f"{VERSIONS}/{version}/download"
    told = client.head(address).headers["ETag"].strip('"')
    with client.stream("GET", address, follow_redirects=True) as answer:
        for chunk in answer.iter_raw():
            digest.update(chunk)
    return digest.hexdigest(), told


@pytest.mark.parametrize(
    "storage", [in_directory, pytest.param(in_bucket, marks=pytest.mark.s3)], indirect=True
)
@pytest.mark.parametrize("send", [in_one_request, presigned])
def test_100_megabytes_keep_their_digest_and_leave_the_memory_alone(
    web, client, tmp_path, send, storage
):
    small, large = tmp_path / "small.zip", tmp_path / "large.zip"
    small.write_bytes(plugin_zip(version="0.0.1"))
    # What is loaded at the first use is not what an upload takes.
    first = send(client, small, hashlib.sha256(small.read_bytes()).hexdigest())
    assert first.status_code == 201, first.text
    assert download(client, "0.0.1")[0] == first.json()["digest"]
    digest = write_artifact(large, "1.0.0")
    before = {pid: peak_bytes(pid) for pid in processes_of(web.pid)}

    answer = send(client, large, digest)

    assert (answer.status_code, answer.json().get("digest")) == (201, digest), answer.text
    assert download(client, "1.0.0") == (digest, digest)
    growth = {pid: peak_bytes(pid) - before[pid] for pid in before}
    assert sum(growth.values()) < MOST_GROWTH, growth


def test_who_gives_up_in_the_middle_leaves_nothing(web, client, bob, tmp_path):
    """A connection that ends before the announced length, with a real server between."""
    host, port = web.url.removeprefix("http://").split(":")
    head = (
        f"POST {VERSIONS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {10 * MB}\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
        '--edge\r\nContent-Disposition: form-data; name="artifact"; filename="e.zip"\r\n\r\n'
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + plugin_zip())

    wait_until(
        lambda: '"code": 400, "request": "POST' in web.log.read_text(),
        what="the web process notices",
    )
    assert client.get(VERSIONS).json()["count"] == 0


def test_too_much_is_refused_before_it_is_sent(web, client):
    """The answer comes while the client has sent nothing but the head."""
    host, port = web.url.removeprefix("http://").split(":")
    head = (
        f"POST {VERSIONS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {10_000 * MB}\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 413")
