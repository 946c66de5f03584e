"""Who may call at a real instance, and how soon it hears that somebody may not any more."""

import pytest

from hotswap.lib.issuing import issue_access_token
from plugins.generation import credential_change
from tenants.services import add_member, remove_member, suspend_tenant
from tests.factories import make_api_key, make_user
from tests.instance.places import call
from tests.waiting import wait_until


@pytest.fixture
def served(place):
    place.alice = make_user("alice")
    add_member(tenant=place.tenants["acme"], user=place.alice, by=place.ada)
    place.version, (place.instance,) = place.serve()
    return place


def status(served, credential, tenant="acme"):
    return call(served.instance, tenant, credential).status_code


def test_a_member_calls_for_the_own_tenant_and_an_admin_for_any(served):
    alice, ada = issue_access_token(served.alice), issue_access_token(served.ada)
    assert status(served, alice) == 200
    assert status(served, alice, "globex") == 404
    assert status(served, ada, "globex") == 200


def test_a_removed_member_is_refused(served):
    token = issue_access_token(served.alice)
    assert status(served, token) == 200
    add_member(tenant=served.tenants["acme"], user=make_user("amy"), by=served.ada)
    remove_member(tenant=served.tenants["acme"], user=served.alice, by=served.ada)
    wait_until(lambda: status(served, token) == 404, what="the token is of no use for acme")


def test_a_disabled_user_is_refused_with_token_and_key(served):
    token = issue_access_token(served.alice)
    row, key = make_api_key(user=served.alice)
    with credential_change() as change:
        change.touch(row)
    wait_until(lambda: status(served, key) == 200, what="the new key is known")
    served.alice.is_active = False
    served.alice.save()
    wait_until(lambda: status(served, token) == 401, what="the token is refused")
    assert status(served, key) == 401


def test_a_suspended_tenant_is_told_so(served):
    suspend_tenant(tenant=served.tenants["acme"], by=served.ada)
    key = served.keys["acme"]
    wait_until(lambda: status(served, key) == 403, what="acme is refused")
    assert status(served, served.keys["globex"], "globex") == 200


def test_a_key_without_the_scope_invoke_is_refused(served):
    row, key = make_api_key(tenant=served.tenants["acme"], scopes=["read"])
    with credential_change() as change:
        change.touch(row)
    wait_until(lambda: status(served, key) == 403, what="the key is known and lacks the scope")
