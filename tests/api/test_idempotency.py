"""A write that is sent again has no second effect."""

from datetime import timedelta

import pytest
from django.utils import timezone

from plugins.models import IdempotencyRecord, Plugin

pytestmark = pytest.mark.django_db


def register(client, name="echo", key="key-1"):
    return client.post("/api/v1/plugins", {"name": name}, HTTP_IDEMPOTENCY_KEY=key)


def test_a_replay_gives_the_first_answer(as_user, bob):
    client = as_user(bob)

    first, again = register(client), register(client)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert Plugin.objects.count() == 1


def test_a_refusal_is_replayed_too(as_user, bob, echo):
    client = as_user(bob)
    first = register(client)
    Plugin.objects.all().delete()

    again = register(client)

    assert first.status_code == again.status_code == 409
    assert again.json() == first.json()
    assert again["Content-Type"] == "application/problem+json"


def test_the_same_key_with_another_body_is_a_conflict(as_user, bob):
    client = as_user(bob)
    register(client)

    answer = register(client, name="other")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")


def test_a_request_that_still_runs_is_a_conflict(as_user, bob):
    client = as_user(bob)
    register(client)
    IdempotencyRecord.objects.update(status=None, answer=None)

    error = register(client).json()["error"]

    assert error["code"] == "idempotency_in_progress"


def test_a_key_belongs_to_one_user_and_one_day(as_user, bob, ada):
    register(as_user(bob))
    assert register(as_user(ada)).json()["error"]["code"] == "name_taken"

    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert register(as_user(bob)).json()["error"]["code"] == "name_taken"


def test_what_failed_on_our_side_is_run_again(as_user, bob, monkeypatch):
    client = as_user(bob)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("plugins.services._check_name_is_free", lambda _: 1 / 0)
        assert register(client).status_code == 500

    assert register(client).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "k" * 121, "ü"])
def test_a_bad_key_is_refused(as_user, bob, nothing_changes, key):
    with nothing_changes():
        assert register(as_user(bob), key=key).status_code == 400


def test_a_key_that_holds_a_secret_is_never_kept(as_user, bob):
    as_user(bob).post(
        "/api/v1/auth/keys", {"name": "k", "scopes": ["read"]}, HTTP_IDEMPOTENCY_KEY="x"
    )

    assert not IdempotencyRecord.objects.exists()
