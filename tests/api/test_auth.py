"""Signing in for tokens, keys for automation, one's own account."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from hotswap.lib.tokens import TokenVerifier
from observability.models import AuditEvent
from plugins.models import ApiKey, CredentialGeneration
from tests.factories import PASSWORD, make_api_key

pytestmark = pytest.mark.django_db
TOKEN, KEYS = "/api/v1/auth/token", "/api/v1/auth/keys"


@pytest.fixture
def anybody(keys_dir):
    return APIClient()


def sign_in(client, username="bob", password=PASSWORD):
    return client.post(TOKEN, {"username": username, "password": password})


def test_a_password_gives_tokens(bob, anybody, keys_dir):
    answer = sign_in(anybody)
    body = answer.json()

    assert not answer.cookies
    assert TokenVerifier(keys_dir / "public").verify(body["access"]).user_id == bob.pk
    assert body["expires_in_seconds"] == 600
    anybody.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
    assert anybody.get("/api/v1/me").json()["username"] == "bob"


@pytest.mark.parametrize(
    ("username", "password"), [("bob", "wrong"), ("nobody", PASSWORD), ("BOB", PASSWORD)]
)
def test_a_wrong_password_opens_nothing_and_tells_nothing(bob, anybody, username, password):
    answer = sign_in(anybody, username, password)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "invalid_credentials")
    assert error["message"] == "The username or the password is wrong."


def test_a_disabled_user_gets_no_token(bob, anybody):
    bob.is_active = False
    bob.save()

    assert sign_in(anybody).status_code == 401


def test_guessing_ends_in_a_lock_that_the_right_password_does_not_open(bob, anybody, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        last = sign_in(anybody, password="wrong")
    locked = sign_in(anybody)

    assert last.json()["error"]["code"] in ("invalid_credentials", "sign_in_locked")
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "sign_in_locked")
    assert int(locked["Retry-After"]) > 0


def test_a_right_password_forgives_the_wrong_ones_before(bob, anybody, settings):
    for _ in range(3):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            wrong = sign_in(anybody, password="wrong")
            assert (wrong.status_code, len(wrong.cookies)) == (401, 0)
        assert sign_in(anybody).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"username": "bob"}, {"username": "b", "password": "p", "x": 1}]
)
def test_a_bad_sign_in_names_its_fields(anybody, body):
    answer = anybody.post(TOKEN, body)

    assert (answer.status_code, bool(answer.json()["error"]["fields"])) == (400, True)


def test_a_refresh_token_gives_access_until_it_is_revoked(bob, anybody):
    refresh = {"refresh": sign_in(anybody).json()["refresh"]}
    access = anybody.post(f"{TOKEN}/refresh", refresh).json()["access"]

    revoked = anybody.post(f"{TOKEN}/revoke", refresh)

    assert revoked.status_code == 204
    assert anybody.post(f"{TOKEN}/refresh", refresh).status_code == 401
    anybody.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert anybody.get("/api/v1/me").status_code == 401


def test_an_access_token_is_no_refresh_token(bob, anybody):
    access = sign_in(anybody).json()["access"]

    assert anybody.post(f"{TOKEN}/refresh", {"refresh": access}).status_code == 401
    assert anybody.post(f"{TOKEN}/refresh", {"refresh": "x"}).status_code == 401


def test_a_key_is_shown_once_and_only_its_digest_is_kept(bob, as_user):
    client = as_user(bob)

    made = client.post(KEYS, {"name": "ci", "scopes": ["read", "write"]})

    key, row = made.json()["key"], ApiKey.objects.get()
    assert (made.status_code, row.digest) == (201, hashlib.sha256(key.encode()).hexdigest())
    assert key.startswith(f"hs_{row.prefix}_") and len(key) == 55
    assert row.generation == CredentialGeneration.objects.get().number
    listed = client.get(KEYS).json()["results"]
    assert [entry["name"] for entry in listed] == ["ci"] and "key" not in listed[0]
    assert key not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["read"]}, "name"),
        ({"name": "k"}, "scopes"),
        ({"name": "k", "scopes": []}, "scopes"),
        ({"name": "k", "scopes": ["none"]}, "scopes.0"),
        ({"name": "k", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "scopes": ["read"], "expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "scopes": ["read"], "environment": "qa"}, "environment"),
    ],
)
def test_a_bad_key_is_not_made(bob, as_user, nothing_changes, body, field):
    with nothing_changes():
        answer = as_user(bob).post(KEYS, body)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


def test_a_member_has_keys_of_their_own(alice, acme, as_user):
    client = as_user(alice)

    assert client.post(KEYS, {"name": "k", "scopes": ["read"]}).status_code == 201
    assert client.get(KEYS).json()["count"] == 1


def test_the_owner_of_a_tenant_makes_and_revokes_its_keys(alice, acme, as_user):
    client = as_user(alice)
    body = {"name": "app", "scopes": ["invoke"], "tenant": "acme", "environment": "qa"}

    made = client.post(KEYS, body).json()

    row = ApiKey.objects.get()
    assert (row.tenant_id, row.environment.name) == (acme.pk, "qa")
    assert client.get(f"{KEYS}?tenant=acme").json()["count"] == 1
    assert client.delete(f"{KEYS}/{made['id']}").status_code == 204
    assert client.get(f"{KEYS}?tenant=acme").json()["count"] == 0


def test_another_tenants_keys_do_not_exist(alice, acme, mallory, globex, as_user, nothing_changes):
    row, _ = make_api_key(tenant=acme, created_by=alice)
    client = as_user(mallory)

    with nothing_changes():
        made = client.post(KEYS, {"name": "k", "scopes": ["invoke"], "tenant": "acme"})
        listed = client.get(f"{KEYS}?tenant=acme")
        revoked = client.delete(f"{KEYS}/{row.pk}")

    assert [made.status_code, listed.status_code, revoked.status_code] == [404, 404, 404]


def test_another_users_key_does_not_exist(bob, carol, as_user, nothing_changes):
    row, _ = make_api_key(user=carol)

    with nothing_changes():
        assert as_user(bob).delete(f"{KEYS}/{row.pk}").status_code == 404
    assert as_user(carol).delete(f"{KEYS}/{row.pk}").status_code == 204


def test_a_key_makes_no_keys(bob, nothing_changes):
    _, key = make_api_key(user=bob, scopes=("read", "write"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    with nothing_changes():
        assert client.post(KEYS, {"name": "k", "scopes": ["read"]}).status_code == 403
        assert client.put("/api/v1/me", {"first_name": "x"}).status_code == 403


def test_a_tenants_key_knows_what_it_is(alice, acme):
    _, key = make_api_key(tenant=acme, created_by=alice, scopes=("read",))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    assert client.get("/api/v1/me").json()["role"] == "Member"


def test_me_says_what_i_am(alice, acme, as_user):
    assert as_user(alice).get("/api/v1/me").json() == {
        "username": "alice",
        "email": "alice@example.com",
        "first_name": "",
        "last_name": "",
        "role": "Member",
        "memberships": [{"tenant": "acme", "role": "owner"}],
    }


def test_a_new_password_needs_the_old_one_and_ends_old_tokens(bob, as_user, anybody):
    client, new = as_user(bob), "an entirely new phrase"

    for body in (
        {"password": new},
        {"password": new, "current_password": "wrong"},
        {"password": "12345678", "current_password": PASSWORD},
        {"username": "bobby"},
    ):
        assert client.put("/api/v1/me", body).status_code == 400
    changed = client.put("/api/v1/me", {"password": new, "current_password": PASSWORD})

    assert changed.status_code == 200
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(anybody, password=new).status_code == 200
    assert new not in str(list(AuditEvent.objects.values()))


def test_a_session_survives_its_own_password_change(bob, client):
    client.force_login(bob)
    body = {"password": "an entirely new phrase", "current_password": PASSWORD}

    assert client.put("/api/v1/me", body, content_type="application/json").status_code == 200
    assert client.get("/api/v1/me").status_code == 200


def test_a_session_writes_only_with_a_csrf_token(bob):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)

    answer = client.post("/api/v1/plugins", {"name": "x"}, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_a_key_lives_a_year_at_most(bob, as_user):
    until = (timezone.now() + timedelta(days=365)).isoformat()

    answer = as_user(bob).post(KEYS, {"name": "k", "scopes": ["read"], "expires_at": until})

    assert answer.status_code == 201
