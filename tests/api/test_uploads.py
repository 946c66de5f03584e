"""What is refused at the door, and that a refusal leaves nothing behind."""

import hashlib
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from rest_framework.test import APIClient

from hotswap.lib.issuing import issue_access_token
from plugins.models import PluginVersion
from tests.artifacts import (
    Member,
    good_members,
    manifest_text,
    plugin_zip,
    raw_zip,
    wheel_bytes,
    zip_bytes,
)
from tests.factories import make_api_key, make_plugin

pytestmark = pytest.mark.django_db
SCHEMA = {"type": "object"}


def with_input(**schema):
    return plugin_zip(methods={"echo": {"input_schema": {"type": "object", **schema}}})


BOMB = Member(b"zeros.txt", b"\0" * (8 << 20), method=8)
LINK = Member(b"link.py", b"/etc/passwd", mode=0o120777)
ESCAPE = Member(b"../outside.py", b"x = 1")

REFUSED = {
    "not a zip": (b"this is no zip at all", "not_a_zip"),
    "an empty file's worth": (b"PK\5\6" + b"\0" * 18, "no_manifest"),
    "no manifest": (zip_bytes({"echo.py": "x = 1"}), "no_manifest"),
    "a manifest that is no TOML": (
        zip_bytes({"hotswap.toml": "= =", "echo.py": ""}),
        "invalid_manifest",
    ),
    "an unknown manifest key": (plugin_zip(colour="red"), "invalid_manifest"),
    "an entry point that is not there": (plugin_zip(entry_point="other:Echo"), "no_entry_point"),
    "an entry point that is none": (plugin_zip(entry_point="echo"), "invalid_manifest"),
    "a version that is not X.Y.Z": (plugin_zip(version="1.0"), "invalid_manifest"),
    "the name of another plugin": (plugin_zip(name="other"), "manifest_unfit"),
    "a Python of the future": (plugin_zip(requires_python=">=4"), "manifest_unfit"),
    "a HotSwap of the future": (plugin_zip(requires_hotswap=">=99"), "manifest_unfit"),
    "Python dependencies": (
        plugin_zip(dependencies={"python": ["babel>=2.14"]}),
        "manifest_unfit",
    ),
    "a plugin that is not registered": (
        plugin_zip(dependencies={"plugins": ["currency>=1"]}),
        "manifest_unfit",
    ),
    "a remote reference": (
        with_input(properties={"a": {"$ref": "https://example.com/a.json"}}),
        "invalid_manifest",
    ),
    "a catastrophic pattern": (
        with_input(properties={"a": {"type": "string", "pattern": r"^(?=(a+)+$)\1"}}),
        "invalid_manifest",
    ),
    "an entry outside": (raw_zip(*good_members(), ESCAPE), None),
    "a symbolic link": (raw_zip(*good_members(), LINK), None),
    "a zip bomb": (raw_zip(*good_members(), BOMB), None),
    "cut off": (plugin_zip()[:-40], None),
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_a_bad_artifact_is_refused_and_leaves_nothing(echo, upload, nothing_changes, content, code):
    with nothing_changes():
        answer = upload(content)

    error = answer.json()["error"]
    assert answer.status_code == 400, error
    assert error["message"] and error["code"] == (code or error["code"])
    assert error["code"] != "invalid" and error["fields"]


def test_every_refusal_has_a_code_of_its_own(echo, upload):
    names = ("an entry outside", "a symbolic link", "a zip bomb", "cut off")
    codes = [upload(REFUSED[name][0]).json()["error"]["code"] for name in names]

    assert len(set(codes)) == len(names)


def test_a_good_artifact_becomes_a_draft(echo, upload, artifacts, bob):
    content = plugin_zip()

    answer = upload(content)

    body = answer.json()
    digest = hashlib.sha256(content).hexdigest()
    assert answer.status_code == 201, body
    assert (body["version"], body["status"], body["uploaded_by"]) == ("1.0.0", "draft", "bob")
    assert (body["digest"], body["size_bytes"]) == (digest, len(content))
    assert body["manifest"]["entry_point"] == "echo:Echo"
    assert answer["Location"] == "/api/v1/plugins/echo/versions/1.0.0"
    assert (artifacts / "artifacts" / "sha256" / digest).read_bytes() == content


def test_a_wheel_is_an_artifact_too(echo, upload):
    answer = upload(wheel_bytes(), name="echo-1.0.0-py3-none-any.whl")

    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize("content", [plugin_zip(), plugin_zip({"more.py": ""})])
def test_the_same_version_again_is_a_conflict(echo, upload, nothing_changes, content):
    assert upload().status_code == 201

    with nothing_changes():
        answer = upload(content)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "version_exists")
    assert "1.0.0" in answer.json()["error"]["message"]


def test_another_spelling_of_a_version_is_no_second_version(echo, upload):
    assert upload().status_code == 201

    assert upload(plugin_zip(version="1.0.00")).status_code == 400


def test_a_manifest_beside_must_say_the_same(echo, upload, nothing_changes):
    with nothing_changes():
        answer = upload(manifest=manifest_text(summary="Something else"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "manifest_differs")

    assert upload(manifest=manifest_text()).status_code == 201


class Endless(io.RawIOBase):
    """A request body that is made while it is read, and counts how much was asked for."""

    def __init__(self, head, size):
        self.head, self.left, self.bytes_read = head, size - len(head), 0

    def read(self, size=-1):
        assert size > 0, "the whole body was asked for at once"
        piece, self.head = self.head[:size], self.head[size:]
        if not piece:
            piece = b"\0" * min(size, self.left)
            self.left -= len(piece)
        self.bytes_read += len(piece)
        return piece


def post_raw(user, body, *, length, path="/api/v1/plugins/echo/versions"):
    """POST through the real WSGI handler; returns the status line and the body."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {issue_access_token(user)}" if user else "",
        "CONTENT_TYPE": "multipart/form-data; boundary=edge",
        "CONTENT_LENGTH": str(length),
        "HTTP_COOKIE": f"csrftoken={'a' * 32}",
        "wsgi.input": body,
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }
    seen = []
    answer = WSGIHandler()(environ, lambda status, headers, *_: seen.append((status, headers)))
    text = b"".join(answer)
    return int(seen[0][0].split()[0]), text.decode()


HEAD = (
    b'--edge\r\nContent-Disposition: form-data; name="artifact"; filename="echo.zip"\r\n'
    b"Content-Type: application/zip\r\n\r\n"
)


@pytest.fixture
def keep_connection(monkeypatch):
    """The handler's end of request must not close the test's own transaction."""
    for signal in (request_started, request_finished):
        monkeypatch.setattr(signal, "receivers", [])
        signal.sender_receivers_cache.clear()
    yield
    for signal in (request_started, request_finished):
        signal.sender_receivers_cache.clear()


def test_200_megabytes_are_refused_unread(
    echo, bob, nothing_changes, keys_dir, keep_connection, settings
):
    body = Endless(HEAD, 200 << 20)

    with nothing_changes():
        status, text = post_raw(bob, body, length=200 << 20)

    assert (status, '"too_large"' in text) == (413, True)
    assert str(settings.UPLOAD_LIMIT_BYTES) in text
    assert body.bytes_read == 0


def test_an_upload_that_breaks_off_is_refused(
    echo, bob, nothing_changes, keys_dir, keep_connection
):
    whole = HEAD + plugin_zip()

    with nothing_changes():
        status, text = post_raw(bob, io.BytesIO(whole), length=len(whole) + 500)

    assert (status, '"malformed_body"' in text) == (400, True)


def test_a_file_over_the_limit_is_refused_by_its_own_size(echo, upload, nothing_changes, settings):
    settings.UPLOAD_LIMIT_BYTES = 100

    with nothing_changes():
        answer = upload()

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "100" in answer.json()["error"]["message"]


def test_an_artifact_over_the_operators_limit_is_refused(echo, upload, nothing_changes, settings):
    settings.ARTIFACT_LIMIT_BYTES = 100

    with nothing_changes():
        answer = upload()

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_large")
    settings.ARTIFACT_LIMIT_BYTES = 10_000
    assert upload().status_code == 201


def test_a_form_of_a_page_is_bounded_before_its_view_is_asked(
    keys_dir, nothing_changes, keep_connection, plain_static
):
    """Whoever looks for the form's token reads the body first: a middleware, not the view."""
    body = Endless(HEAD, 200 << 20)

    with nothing_changes():
        status, _ = post_raw(None, body, length=200 << 20, path="/sign-in/")

    assert (status, body.bytes_read) == (400, 0)


def test_what_is_received_is_not_copied_again(echo, upload, monkeypatch):
    monkeypatch.setattr("plugins.uploads._copy", None)

    assert upload().status_code == 201


@pytest.mark.parametrize("method", ["json", "no file", "another field", "a text"])
def test_what_is_no_upload_is_refused(echo, as_user, bob, nothing_changes, method):
    address, client = "/api/v1/plugins/echo/versions", as_user(bob)
    file = SimpleUploadedFile("echo.zip", plugin_zip())
    sent = {
        "json": lambda: client.post(address, {"artifact": "x"}, format="json"),
        "no file": lambda: client.post(address, {}, format="multipart"),
        "another field": lambda: client.post(
            address, {"artifact": file, "force": "1"}, format="multipart"
        ),
        "a text": lambda: client.post(address, {"artifact": "x"}, format="multipart"),
    }

    with nothing_changes():
        answer = sent[method]()

    assert answer.status_code == (415 if method == "json" else 400)


def test_without_credentials_nothing_is_read(echo, as_user, nothing_changes):
    with nothing_changes():
        answer = as_user().post("/api/v1/plugins/echo/versions", {}, format="multipart")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_tenant_cannot_upload(echo, upload, nothing_changes, mallory, globex, keys_dir):
    with nothing_changes():
        assert upload(by=mallory).status_code == 403


def test_the_key_of_a_tenant_cannot_upload(echo, nothing_changes, globex, mallory):
    _, key = make_api_key(tenant=globex, created_by=mallory, scopes=("read", "write", "invoke"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    file = SimpleUploadedFile("echo.zip", plugin_zip())

    with nothing_changes():
        answer = client.post(
            "/api/v1/plugins/echo/versions", {"artifact": file}, format="multipart"
        )

    assert answer.status_code == 403


def test_a_developer_cannot_upload_to_anothers_plugin(upload, nothing_changes, ada, bob):
    make_plugin("theirs", owner=ada)

    with nothing_changes():
        answer = upload(plugin_zip(name="theirs"), plugin="theirs")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_your_plugin")


def test_an_unknown_plugin_takes_no_upload(upload, nothing_changes, bob):
    with nothing_changes():
        assert upload(plugin="nothing").status_code == 404


def test_a_version_says_what_it_breaks(echo, upload, as_user, carol, bob):
    assert upload().status_code == 201
    as_user(carol).post("/api/v1/plugins/echo/versions/1.0.0/approve", {})
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}

    answer = upload(plugin_zip(version="1.1.0", methods={"echo": {"input_schema": schema}}))

    assert answer.json()["breaking_changes"] == [
        {
            "kind": "input_changed",
            "path": "methods.echo.input_schema.text",
            "message": "input of echo: text is now required",
        }
    ]


def test_two_uploads_at_once_make_one_version(echo, upload, monkeypatch, artifacts):
    """The second passes every check before the first has its row."""
    assert upload().status_code == 201
    monkeypatch.setattr("plugins.intake._check_is_new", lambda *_: None)
    monkeypatch.setattr("plugins.intake.CHECKS", ())
    other = plugin_zip({"more.py": ""})

    with pytest.raises(Exception, match="version_once_per_plugin"):
        upload(other)

    assert PluginVersion.objects.count() == 1
    assert len([path for path in artifacts.rglob("*") if path.is_file()]) == 1
