"""Announce, PUT to the storage, complete: on the file system and on a real S3 server."""

import hashlib
import os
import urllib.error
import urllib.request
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from rest_framework.test import APIClient

from hotswap.celery import app
from plugins.abandoned import sweep_uploads
from plugins.models import PluginVersion, PresignedUpload
from plugins.presigned import MAX_OPEN_UPLOADS
from plugins.storage import ArtifactStore, StorageError
from plugins.tasks import sweep_presigned_uploads
from tests.artifacts import manifest_text, plugin_zip, wheel_bytes
from tests.factories import make_plugin, make_user
from tests.s3 import ACCESS_KEY, SECRET_KEY, s3_server  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions/uploads"
CONTENT = plugin_zip()


def in_bucket(request, settings):
    server = request.getfixturevalue("s3_server")
    options = {
        "bucket_name": server.new_bucket(),
        "endpoint_url": server.endpoint,
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "region_name": "us-east-1",
        "file_overwrite": False,
        "default_acl": None,
    }
    backend = {"BACKEND": "plugins.storage.s3.S3Artifacts", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "artifacts": backend}


def in_directory(request, settings):
    request.getfixturevalue("artifacts")


@pytest.fixture(params=[in_directory, pytest.param(in_bucket, marks=pytest.mark.s3)])
def storage(request, settings):
    request.param(request, settings)


@pytest.fixture
def start(echo, as_user, bob, storage):
    def ask(content=CONTENT, *, by=bob, **changes):
        body = {
            "filename": "echo.zip",
            "digest": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
            **changes,
        }
        return as_user(by).post(ADDRESS, body)

    return ask


@pytest.fixture
def complete(as_user, bob):
    def ask(pk, by=bob, **body):
        return as_user(by).post(f"{ADDRESS}/{pk}/complete", body)

    return ask


def put(started, content=CONTENT, url=None):
    """As a client would: nothing but the address and the headers. The status of the answer."""
    url = url or started["url"]
    if url.startswith("http://testserver"):
        kind = started["headers"]["Content-Type"]
        return APIClient().generic("PUT", url, content, content_type=kind).status_code
    request = urllib.request.Request(url, data=content, method="PUT", headers=started["headers"])
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def staged():
    return [found.key for found in ArtifactStore().backend.objects("uploads/")]


def code_of(answer):
    return answer.json()["error"]["code"]


def test_what_was_put_becomes_a_version(start, complete):
    started = start()
    assert started.status_code == 201, started.json()
    assert started.json()["method"] == "PUT"
    assert put(started.json()) in (200, 204)

    answer = complete(started.json()["id"])

    body, digest = answer.json(), hashlib.sha256(CONTENT).hexdigest()
    assert answer.status_code == 201, body
    assert (body["version"], body["status"], body["digest"]) == ("1.0.0", "draft", digest)
    assert answer["Location"] == "/api/v1/plugins/echo/versions/1.0.0"
    assert ArtifactStore().size(digest) == len(CONTENT)
    assert staged() == []


def test_completing_again_gives_the_same_version(start, complete):
    started = start().json()
    put(started)
    first = complete(started["id"])

    again = complete(started["id"])

    assert (again.status_code, again.json()) == (201, first.json())
    assert PluginVersion.objects.count() == 1


def test_two_that_complete_at_once_get_one_version(start, complete, monkeypatch):
    """The second has read the row before the first wrote it."""
    started = start().json()
    put(started)
    first = complete(started["id"])
    PresignedUpload.objects.update(version=None, completed_at=None)
    row = PresignedUpload.objects.get()
    PresignedUpload.objects.update(version=PluginVersion.objects.get(), completed_at=row.created_at)
    monkeypatch.setattr("plugins.api.upload_views.get_object_or_404", lambda *_, **__: row)

    assert complete(started["id"]).json() == first.json()


def test_a_wheel_keeps_its_name(start, complete):
    wheel = wheel_bytes()
    started = start(wheel, filename="other-1.0.0-py3-none-any.whl").json()
    put(started, wheel)
    assert code_of(complete(started["id"])) == "wheel_mismatch"

    started = start(wheel, filename="echo-1.0.0-py3-none-any.whl").json()
    put(started, wheel)
    assert complete(started["id"]).status_code == 201


def test_bytes_of_another_digest_are_refused_at_the_door(start, complete):
    started = start().json()

    assert put(started, b"x" * len(CONTENT)) == 400

    assert code_of(complete(started["id"])) == "upload_missing"
    assert staged() == []


@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1]])
def test_bytes_of_another_length_are_refused_at_the_door(start, content):
    assert put(start().json(), content) in (400, 403, 413)
    assert staged() == []


def replace(pk, content):
    """What a server that honours neither length nor digest would have taken."""
    key = f"uploads/{pk}"
    storages["artifacts"].delete(key)
    with storages["artifacts"].open(key, "wb") as file:
        file.write(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"x" * len(CONTENT), "digest_mismatch"), (CONTENT + b"x", "size_mismatch")],
)
def test_what_is_not_what_was_announced_is_refused_and_removed(start, complete, content, code):
    started = start().json()
    put(started)
    replace(started["id"], content)

    answer = complete(started["id"])

    assert (answer.status_code, code_of(answer)) == (400, code)
    assert staged() == []
    assert not PluginVersion.objects.exists()
    assert list(ArtifactStore().backend.objects("artifacts/")) == []


def test_the_same_checks_hold_as_for_an_upload_in_one_request(start, complete):
    content = plugin_zip(name="other")
    started = start(content).json()
    put(started, content)

    answer = complete(started["id"])

    assert (answer.status_code, code_of(answer)) == (400, "manifest_unfit")
    assert staged() == []
    assert not ArtifactStore().exists(hashlib.sha256(content).hexdigest())
    assert not PluginVersion.objects.exists()


def test_what_is_sent_beside_is_checked_too(start, complete):
    started = start().json()
    put(started)
    answer = complete(started["id"], manifest=manifest_text(summary="Something else"))
    assert code_of(answer) == "manifest_differs"

    put(started)
    assert complete(started["id"], manifest=manifest_text()).status_code == 201


def test_nothing_put_is_nothing_to_complete(start, complete):
    answer = complete(start().json()["id"])

    assert (answer.status_code, code_of(answer)) == (409, "upload_missing")


def test_an_expired_upload_is_told_and_removed(start, complete):
    started = start().json()
    put(started)
    PresignedUpload.objects.update(expires_at=timezone.now())

    answer = complete(started["id"])

    assert (answer.status_code, code_of(answer)) == (409, "upload_expired")
    assert staged() == []
    assert not PluginVersion.objects.exists()


def test_the_upload_of_another_is_not_completed(start, complete, ada):
    started = start().json()
    put(started)

    answer = complete(started["id"], by=ada)

    assert (answer.status_code, code_of(answer)) == (403, "not_your_upload")
    assert len(staged()) == 1
    assert complete(started["id"]).status_code == 201


def test_who_lost_the_plugin_meanwhile_does_not_complete(echo, start, complete, ada):
    started = start().json()
    put(started)
    echo.owner = ada
    echo.save(update_fields=["owner"])

    assert code_of(complete(started["id"])) == "not_your_plugin"


def test_a_storage_that_fails_may_be_asked_again(start, complete, monkeypatch):
    started = start().json()
    put(started)
    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, "save", lambda *_: (_ for _ in ()).throw(StorageError("no")))
        assert complete(started["id"]).status_code == 503

    assert complete(started["id"]).status_code == 201


def test_the_upload_of_one_plugin_is_not_found_at_another(start, as_user, bob):
    make_plugin("other", owner=bob)
    pk = start().json()["id"]

    answer = as_user(bob).post(f"/api/v1/plugins/other/versions/uploads/{pk}/complete", {})

    assert answer.status_code == 404


WRONG = {
    "no digest": {"digest": None},
    "a digest that is none": {"digest": "a" * 63},
    "a digest in capitals": {"digest": "A" * 64},
    "nothing to send": {"size_bytes": 0},
    "a path for a name": {"filename": "../echo.zip"},
    "a field that is not there": {"force": True},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_an_announcement_says_what_will_come(start, changes):
    assert start(**changes).status_code == 400
    assert not PresignedUpload.objects.exists()


def test_more_than_an_artifact_may_have_is_refused_unsent(start, settings):
    settings.ARTIFACT_LIMIT_BYTES = 100

    answer = start()

    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert "100" in answer.json()["error"]["message"]


def test_what_is_there_already_needs_no_upload(start, upload):
    assert upload(CONTENT).status_code == 201

    answer = start()

    assert (answer.status_code, code_of(answer)) == (409, "artifact_exists")


def test_nobody_fills_the_storage_with_leave_to_fill_it(start):
    for number in range(MAX_OPEN_UPLOADS):
        assert start(digest=f"{number:064x}").status_code == 201

    assert code_of(start()) == "too_many_uploads"


def test_a_developer_uploads_to_their_own_plugins_only(start, nothing_changes):
    with nothing_changes():
        answer = start(by=make_user("dora", role="Developer"))

    assert (answer.status_code, code_of(answer)) == (403, "not_your_plugin")


@pytest.mark.parametrize("person", ["victor", "carol", "mallory", None])
def test_nobody_else_starts_or_completes_one(start, complete, request, globex, person):
    pk = start().json()["id"]
    caller = request.getfixturevalue(person) if person else None
    refused = 403 if caller else 401

    assert start(by=caller, digest="0" * 64).status_code == refused
    assert complete(pk, by=caller).status_code == refused


@pytest.mark.parametrize("change", ["signature", "id"])
def test_an_address_cannot_be_changed_into_another(start, change):
    first, second = start().json(), start(digest="0" * 64).json()
    url = first["url"]
    changed = url[:-4] + "AAAA" if change == "signature" else url.replace(first["id"], second["id"])

    assert put(first, url=changed) in (401, 403)
    assert staged() == []


@pytest.mark.parametrize("storage", [in_directory], indirect=True)
def test_an_address_of_ours_ends_with_its_time_and_with_the_upload(start, complete):
    started = start().json()
    put(started)
    assert complete(started["id"]).status_code == 201
    assert put(started) == 409

    other = start(plugin_zip(version="2.0.0")).json()
    PresignedUpload.objects.update(expires_at=timezone.now())
    assert put(other, plugin_zip(version="2.0.0")) == 409
    assert staged() == []


def test_what_nobody_completed_is_swept(start, monkeypatch):
    abandoned, waiting = start().json(), start(plugin_zip(version="2.0.0")).json()
    put(abandoned)
    put(waiting, plugin_zip(version="2.0.0"))
    row = PresignedUpload.objects.filter(pk=abandoned["id"])
    row.update(expires_at=timezone.now() - timedelta(hours=2))
    assert sweep_uploads() == 0, "a PUT that began in time may have just ended"

    monkeypatch.setattr("plugins.abandoned.LEFT_ALONE", timedelta(minutes=-1))
    assert sweep_uploads() == 1
    assert staged() == [f"uploads/{waiting['id']}"]
    assert row.exists()

    row.update(expires_at=timezone.now() - timedelta(days=2))
    assert sweep_uploads() == 0
    assert not row.exists()


@pytest.mark.parametrize("storage", [in_directory], indirect=True)
def test_what_a_killed_process_left_half_written_is_swept_too(storage, artifacts):
    half = artifacts / "uploads" / f".{uuid4()}.abc"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert sweep_uploads() == 0, "somebody may be writing it"

    os.utime(half, (0, 0))
    assert (sweep_uploads(), half.exists()) == (1, False)


def test_beat_asks_for_the_sweep():
    asked = [entry["task"] for entry in app.conf.beat_schedule.values()]

    assert sweep_presigned_uploads.name in asked
