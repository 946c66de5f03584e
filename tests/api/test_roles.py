"""Every endpoint of the registry against every kind of caller."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from plugins.api.urls import urlpatterns
from plugins.models import VersionStatus
from tests.factories import make_api_key, make_plugin, make_user, make_version

pytestmark = pytest.mark.django_db

CALLERS = ("nobody", "tenant", "viewer", "developer", "owner", "approver", "admin", "owner's key")
OK = "ok"  # The right is there; the empty body may still be refused for what it lacks.
ALLOWED = (200, 201, 204, 400, 404, 409, 415)
READ = (401, OK, OK, OK, OK, OK, OK, OK)
ADMIN_ONLY = (401, 403, 403, 403, 403, 403, OK, 403)
DECIDES = (401, 403, 403, 403, 403, OK, OK, 403)
OWNER_EDITS = (401, 403, 403, 403, OK, 403, OK, OK)
OWNER_SHARES = (401, 403, 403, 403, OK, 403, OK, 403)
DEVELOPS = (401, 403, 403, OK, OK, 403, OK, OK)
# An API key makes no publisher's key: whoever has it could then sign.
OWN_KEYS = (401, 403, 403, OK, OK, 403, OK, 403)
STARTED = (401, 403, 403, 404, OK, 403, OK, OK)  # To others no upload is there.
BY_ADDRESS = (401,) * 8  # Whoever has the signed address may; here nobody has.
PLUGIN, VERSION = "plugins/<str:name>", "plugins/<str:plugin_name>/versions/<str:version>"
VERSIONS = "plugins/<str:plugin_name>/versions"
UPLOADS = f"{VERSIONS}/uploads"
ENVIRONMENT = "environments/<str:name>"
KNOWN = {
    "<str:plugin_name>": "echo",
    "<str:version>": "1.0.0",
    "<str:username>": "victor",
    "<str:key_id>": "a" * 64,
    "<uuid:id>": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
}

# A row for each method of each address in plugins/api/urls.py; a test holds the two together.
ENDPOINTS = {
    ("GET", "plugins"): READ,
    ("POST", "plugins"): DEVELOPS,
    ("GET", PLUGIN): READ,
    ("PUT", PLUGIN): OWNER_EDITS,
    ("PATCH", PLUGIN): OWNER_EDITS,
    ("DELETE", PLUGIN): ADMIN_ONLY,
    ("POST", f"{PLUGIN}/deprecate"): ADMIN_ONLY,
    ("GET", f"{PLUGIN}/owners"): READ,
    ("POST", f"{PLUGIN}/owners"): OWNER_SHARES,
    ("DELETE", f"{PLUGIN}/owners/<str:username>"): OWNER_SHARES,
    ("GET", VERSIONS): READ,
    ("POST", VERSIONS): OWNER_EDITS,
    ("POST", UPLOADS): OWNER_EDITS,
    ("PUT", f"{UPLOADS}/<uuid:id>/content"): BY_ADDRESS,
    ("POST", f"{UPLOADS}/<uuid:id>/complete"): STARTED,
    ("GET", VERSION): READ,
    ("GET", f"{VERSION}/download"): DEVELOPS,
    ("GET", f"{VERSION}/dependencies"): READ,
    ("GET", f"{VERSION}/sbom"): READ,
    ("GET", f"{VERSION}/resolution"): READ,
    ("POST", f"{VERSION}/resolution"): OWNER_EDITS,
    ("POST", f"{VERSION}/approve"): DECIDES,
    ("POST", f"{VERSION}/reject"): DECIDES,
    ("POST", f"{VERSION}/deprecate"): DECIDES,
    ("POST", f"{VERSION}/yank"): DECIDES,
    ("POST", f"{VERSION}/revoke"): DECIDES,
    ("GET", "publisher-keys"): DEVELOPS,
    ("POST", "publisher-keys"): OWN_KEYS,
    ("POST", "publisher-keys/<str:key_id>/revoke"): DEVELOPS,
    ("GET", "environments"): READ,
    ("POST", "environments"): ADMIN_ONLY,
    ("GET", ENVIRONMENT): READ,
    ("PATCH", ENVIRONMENT): ADMIN_ONLY,
    ("POST", f"{ENVIRONMENT}/freeze"): ADMIN_ONLY,
    ("POST", f"{ENVIRONMENT}/unfreeze"): ADMIN_ONLY,
}
ELSEWHERE = {
    ("POST", "plugins/<str:name>/versions/<str:version>/validate"): READ,
    ("GET", "me"): READ,
    ("GET", "auth/keys"): (*READ[:-1], 403),
}


@pytest.fixture
def callers(as_user, as_key, bob, carol, ada, victor, mallory, globex):
    make_version(make_plugin("echo", owner=bob), status=VersionStatus.DRAFT)
    people = (None, mallory, victor, make_user("dora", role="Developer"), bob, carol, ada)
    _, key = make_api_key(user=bob, scopes=("read", "write", "invoke"))
    clients = [*map(as_user, people), as_key(key)]
    return dict(zip(CALLERS, clients, strict=True))


def methods_of(callback):
    """What a view answers to, beside HEAD and OPTIONS."""
    actions = getattr(callback, "actions", None)
    if actions is None:
        actions = [
            name
            for name in callback.view_class.http_method_names
            if hasattr(callback.view_class, name)
        ]
    return {name.upper() for name in actions} - {"HEAD", "OPTIONS"}


def test_every_endpoint_of_the_registry_has_its_row():
    served = {
        (method, str(each.pattern)) for each in urlpatterns for method in methods_of(each.callback)
    }

    assert served == set(ENDPOINTS)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *ELSEWHERE], ids=" ".join)
def test_each_caller_gets_what_the_table_says(callers, endpoint, artifacts):
    method, path = endpoint
    path = path.replace("<str:name>", "qa" if path.startswith("environments") else "echo")
    for pattern, value in KNOWN.items():
        path = path.replace(pattern, value)

    seen = {
        name: client.generic(method, f"/api/v1/{path}").status_code
        for name, client in callers.items()
    }

    wanted = dict(zip(CALLERS, (ENDPOINTS | ELSEWHERE)[endpoint], strict=True))
    shown = {
        name: OK if status in ALLOWED and wanted[name] == OK else status
        for name, status in seen.items()
    }
    assert shown == wanted


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
