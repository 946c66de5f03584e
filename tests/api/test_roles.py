"""Every endpoint of the registry against every kind of caller."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from plugins.models import VersionStatus
from tests.factories import make_api_key, make_plugin, make_user, make_version

pytestmark = pytest.mark.django_db

CALLERS = ("nobody", "tenant", "viewer", "developer", "owner", "approver", "admin")
READ = (401, 200, 200, 200, 200, 200, 200)
ADMIN_ONLY = (401, 403, 403, 403, 403, 403, "ok")
DECIDES = (401, 403, 403, 403, 403, "ok", "ok")
DEVELOPERS_READ = (401, 403, 403, 200, 200, 403, 200)
ANYBODY = (401, *["ok"] * 6)
OWNER_EDITS = (401, 403, 403, 403, "ok", 403, "ok")
DEVELOPS = (401, 403, 403, "ok", "ok", 403, "ok")
ECHO, VERSION = "plugins/echo", "plugins/echo/versions/1.0.0"

ENDPOINTS = {
    ("GET", "plugins"): READ,
    ("GET", ECHO): READ,
    ("GET", f"{ECHO}/versions"): READ,
    ("GET", VERSION): READ,
    ("GET", "environments"): READ,
    ("GET", "environments/qa"): READ,
    ("GET", "me"): READ,
    ("GET", "auth/keys"): READ,
    ("POST", "plugins"): DEVELOPS,
    ("PUT", ECHO): OWNER_EDITS,
    ("PATCH", ECHO): OWNER_EDITS,
    ("DELETE", ECHO): ADMIN_ONLY,
    ("POST", f"{ECHO}/deprecate"): ADMIN_ONLY,
    ("POST", f"{ECHO}/versions"): OWNER_EDITS,
    ("GET", f"{VERSION}/download"): DEVELOPS,
    ("POST", f"{VERSION}/approve"): DECIDES,
    ("POST", f"{VERSION}/reject"): DECIDES,
    ("POST", f"{VERSION}/deprecate"): DECIDES,
    ("POST", f"{VERSION}/yank"): DECIDES,
    ("POST", f"{VERSION}/revoke"): DECIDES,
    ("GET", f"{VERSION}/sbom"): ANYBODY,
    ("GET", "publisher-keys"): DEVELOPERS_READ,
    ("POST", "publisher-keys"): DEVELOPS,
    ("POST", f"publisher-keys/{'0' * 64}/revoke"): DEVELOPS,
    ("POST", "environments"): ADMIN_ONLY,
    ("PATCH", "environments/qa"): ADMIN_ONLY,
    ("POST", "environments/qa/freeze"): ADMIN_ONLY,
    ("POST", "environments/qa/unfreeze"): ADMIN_ONLY,
}


@pytest.fixture
def callers(as_user, bob, carol, ada, victor, mallory, globex):
    make_version(make_plugin("echo", owner=bob), status=VersionStatus.DRAFT)
    people = (None, mallory, victor, make_user("dora", role="Developer"), bob, carol, ada)
    return {name: as_user(person) for name, person in zip(CALLERS, people, strict=True)}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=" ".join)
def test_each_caller_gets_what_the_table_says(callers, endpoint, artifacts):
    """``ok``: the right is there; the empty body may still be refused for what it lacks."""
    method, path = endpoint

    for caller, expected in zip(CALLERS, ENDPOINTS[endpoint], strict=True):
        status = callers[caller].generic(method, f"/api/v1/{path}").status_code
        allowed = (200, 201, 204, 400, 404, 409, 415) if expected == "ok" else (expected,)
        assert status in allowed, f"{caller} {method} {path}: {status}"


def test_a_read_key_reads_and_a_write_key_writes(bob):
    make_plugin("echo", owner=bob)
    seen = {}
    for scope in ("read", "write", "invoke"):
        client = APIClient()
        _, key = make_api_key(user=bob, scopes=(scope,))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        read = client.get("/api/v1/plugins/echo").status_code
        write = client.patch("/api/v1/plugins/echo", {"summary": "x"}).status_code
        seen[scope] = (read, write)

    assert seen == {"read": (200, 403), "write": (403, 200), "invoke": (403, 403)}


def test_a_key_dies_with_its_user_its_date_or_its_revocation(bob):
    def status():
        return client.get("/api/v1/me").status_code

    row, key = make_api_key(user=bob, scopes=("read",))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert status() == 200

    for changes in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now()}):
        before = {name: getattr(row, name) for name in changes}
        type(row).objects.filter(pk=row.pk).update(**changes)
        assert status() == 401
        type(row).objects.filter(pk=row.pk).update(**before)
    bob.is_active = False
    bob.save()
    assert status() == 401


@pytest.mark.parametrize("text", ["hs_", "hs_x_y", "hs_" + "a" * 200, "hs_\xff\xff"])
def test_what_is_no_key_is_refused(db, text):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")

    assert client.get("/api/v1/me").status_code == 401
