"""Requests per minute, by caller and class of endpoint."""

from uuid import uuid4

import pytest

from plugins.models import Plugin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings, redis_url, monkeypatch):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS_PER_MINUTE = {"read": 3, "write": 2, "upload": 1, "sandbox": 1}
    # One window, however slow the machine is.
    monkeypatch.setattr("hotswap.lib.api.throttling.time.time", lambda: 1_000_000_010.0)


def test_every_answer_says_where_the_caller_stands(as_user, bob):
    client = as_user(bob)
    answers = [client.get("/api/v1/plugins") for _ in range(4)]

    remaining = [answer["X-RateLimit-Remaining"] for answer in answers]
    assert remaining == ["2", "1", "0", "0"]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert answers[3]["Retry-After"] == answers[3]["X-RateLimit-Reset"] == "10"
    assert answers[3].json()["error"]["code"] == "rate_limited"


def test_classes_and_callers_are_counted_apart(as_user, bob, carol, nothing_changes):
    client = as_user(bob)
    for number in range(2):
        assert client.post("/api/v1/plugins", {"name": f"p-{number}"}).status_code == 201

    with nothing_changes():
        assert client.post("/api/v1/plugins", {"name": "p-2"}).status_code == 429
    assert client.get("/api/v1/plugins").status_code == 200
    assert as_user(carol).get("/api/v1/plugins")["X-RateLimit-Remaining"] == "2"
    assert Plugin.objects.count() == 2


def test_an_upload_has_a_limit_of_its_own(echo, upload):
    first, second = upload(), upload()

    assert (first.status_code, first["X-RateLimit-Limit"]) == (201, "1")
    assert second.status_code == 429


def test_presigned_uploads_count_as_uploads(echo, upload, as_user, bob):
    assert upload().status_code == 201

    started = as_user(bob).post("/api/v1/plugins/echo/versions/uploads", {})
    completed = as_user(bob).post(f"/api/v1/plugins/echo/versions/uploads/{uuid4()}/complete", {})

    assert (started.status_code, completed.status_code) == (429, 429)
    assert started["X-RateLimit-Limit"] == "1"


def test_sign_in_is_limited_by_address(client, keys_dir):
    body = {"username": "bob", "password": "x"}
    sent = [client.post("/api/v1/auth/token", body, "application/json") for _ in range(3)]

    assert [answer.status_code for answer in sent] == [401, 401, 429]


def test_without_redis_nobody_is_limited(as_user, bob, settings, tmp_path):
    dead = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/none.sock"}
    settings.CACHES = {"default": dead}
    client = as_user(bob)

    answers = [client.get("/api/v1/plugins") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0]


def test_the_schema_and_limits_switched_off_count_nothing(as_user, bob, settings):
    client = as_user(bob)
    assert "X-RateLimit-Limit" not in client.get("/api/v1/schema")

    settings.RATE_LIMITS_ENABLED = False
    assert "X-RateLimit-Limit" not in client.get("/api/v1/plugins")
