"""Tenants and members over HTTP: who may, what is refused, and that a refusal changes nothing."""

import pytest

from tenants.models import Tenant, TenantMember
from tests.factories import make_api_key, make_user

NEW = {"slug": "initech", "name": "Initech", "home_environment": "qa"}


@pytest.fixture
def actors(ada, bob, carol, victor, alice, mallory, acme, globex):
    """Everybody by name, and both tenants."""
    return {user.username: user for user in (ada, bob, carol, victor, alice, mallory)} | {
        "nobody": None
    }


STATUS_OF_READING_ACME = {
    "ada": 200,
    "alice": 200,
    "mallory": 404,
    "bob": 403,
    "carol": 403,
    "victor": 403,
    "nobody": 401,
}


@pytest.mark.parametrize(("who", "status"), STATUS_OF_READING_ACME.items())
@pytest.mark.parametrize("address", ["", "/members", "/plugins"])
def test_only_owners_and_admins_read_a_tenant(actors, as_user, who, status, address):
    assert as_user(actors[who]).get(f"/api/v1/tenants/acme{address}").status_code == status


@pytest.mark.parametrize("who", ["alice", "mallory", "bob", "carol", "victor"])
def test_only_admins_make_suspend_and_delete_tenants(actors, as_user, who):
    client = as_user(actors[who])
    assert client.post("/api/v1/tenants", NEW).status_code == 403
    assert client.post("/api/v1/tenants/acme/suspend").status_code == 403
    assert client.patch("/api/v1/tenants/acme", {"name": "x"}).status_code == 403
    assert client.delete("/api/v1/tenants/acme").status_code == 403
    assert client.get("/api/v1/tenants").status_code == 403
    assert list(Tenant.objects.values_list("slug", "status")) == [
        ("acme", "active"),
        ("globex", "active"),
    ]


def test_an_admin_makes_changes_and_ends_a_tenant(as_user, ada):
    client = as_user(ada)
    made = client.post("/api/v1/tenants", NEW)
    assert made.status_code == 201
    assert made.json()["home_environment"] == "qa"
    changed = client.patch("/api/v1/tenants/initech", {"home_environment": "staging"})
    assert changed.json()["home_environment"] == "staging"
    assert client.post("/api/v1/tenants/initech/suspend").json()["status"] == "suspended"
    assert client.post("/api/v1/tenants/initech/resume").json()["status"] == "active"
    assert client.delete("/api/v1/tenants/initech").status_code == 204
    assert client.get("/api/v1/tenants/initech").status_code == 404
    assert client.get("/api/v1/tenants").json()["results"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Acme Inc"}, "slug"),
        ({"name": ""}, "name"),
        ({"home_environment": "moon"}, "home_environment"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_tenant_is_refused_by_the_name_of_its_field(as_user, ada, change, field):
    answer = as_user(ada).post("/api/v1/tenants", NEW | change)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Tenant.objects.exists()


def test_a_slug_that_is_taken_is_a_conflict(as_user, ada, acme):
    answer = as_user(ada).post("/api/v1/tenants", NEW | {"slug": "acme"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "name_taken")


def test_the_list_is_filtered_and_ordered(as_user, ada, acme, globex):
    client = as_user(ada)
    found = client.get("/api/v1/tenants?search=glo").json()
    assert [each["slug"] for each in found["results"]] == ["globex"]
    found = client.get("/api/v1/tenants?ordering=-slug&limit=1").json()
    assert (found["count"], found["results"][0]["slug"]) == (2, "globex")


def test_an_owner_adds_and_removes_members(as_user, alice, acme):
    make_user("dave")
    client = as_user(alice)
    added = client.post("/api/v1/tenants/acme/members", {"user": "dave", "role": "caller"})
    assert (added.status_code, added.json()["role"]) == (201, "caller")
    names = [each["user"] for each in client.get("/api/v1/tenants/acme/members").json()["results"]]
    assert names == ["alice", "dave"]
    assert client.delete("/api/v1/tenants/acme/members/dave").status_code == 204
    assert client.delete("/api/v1/tenants/acme/members/dave").status_code == 404
    assert client.delete("/api/v1/tenants/acme/members/alice").status_code == 409


def test_a_caller_may_not_manage_the_tenant(as_user, alice, acme):
    dave = make_user("dave")
    as_user(alice).post("/api/v1/tenants/acme/members", {"user": "dave", "role": "caller"})
    answer = as_user(dave).post("/api/v1/tenants/acme/members", {"user": "dave", "role": "owner"})
    assert answer.status_code == 403
    assert TenantMember.objects.get(user=dave).role == "caller"


@pytest.mark.parametrize(
    ("body", "field"), [({"user": "ghost"}, "user"), ({}, "user"), ({"role": "king"}, "role")]
)
def test_a_bad_member_is_refused_by_the_name_of_its_field(as_user, alice, acme, body, field):
    answer = as_user(alice).post("/api/v1/tenants/acme/members", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize("scopes", [("invoke",), ("read", "write", "invoke")])
def test_a_tenants_key_manages_nothing(as_key, acme, globex, ada, scopes):
    _, secret = make_api_key(tenant=acme, created_by=ada, scopes=scopes)
    client = as_key(secret)
    assert client.get("/api/v1/tenants/acme/members").status_code == 403
    assert client.post("/api/v1/tenants/acme/members", {"user": "ada"}).status_code == 403
    expected = 404 if "read" in scopes else 403
    assert client.get("/api/v1/tenants/globex/members").status_code == expected


def test_an_owners_own_key_works_within_its_scopes(as_key, alice, acme):
    _, reader = make_api_key(user=alice, scopes=("read",))
    assert as_key(reader).get("/api/v1/tenants/acme").status_code == 200
    answer = as_key(reader).post("/api/v1/tenants/acme/members", {"user": "alice"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_scope_missing")
