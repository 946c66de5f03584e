"""Who sent a request, from the credential and the snapshot alone."""

import hashlib
from dataclasses import replace

import pytest

from deployments.instance.admission import Admission
from deployments.instance.authentication import Authenticator
from deployments.instance.facts import TenantFact, UserFact
from deployments.instance.leases import Limits
from deployments.instance.refusals import RefusedError
from deployments.instance.requests import Request
from hotswap.lib.tokens import Claims, TokenRefusedError
from tests.instance.facts import credentials, installation, key, shard, snapshot

KEY = "hs_12345678_" + "x" * 43
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
NOW = 1e9


class Verifier:
    """Knows the tokens that a test gives it, and counts how often it was asked."""

    def __init__(self, **tokens):
        self.tokens, self.asked = tokens, 0

    def verify(self, token):
        self.asked += 1
        if token not in self.tokens:
            raise TokenRefusedError("The token is not valid.")
        return self.tokens[token]


def authenticate(credential, known=None, *, scheme="Bearer", now=NOW):
    verifier = Verifier(alice=Claims(1, 3, NOW + 60), ada=Claims(2, 0, NOW + 60))
    known = known or credentials(keys={DIGEST: key(DIGEST)})
    return Authenticator(verifier).authenticate(f"{scheme} {credential}".encode(), known, now)


def refusal(*arguments, **options):
    with pytest.raises(RefusedError) as caught:
        authenticate(*arguments, **options)
    return caught.value.refusal


def test_a_token_speaks_for_its_users_tenants():
    alice, ada = authenticate("alice"), authenticate("ada")
    assert alice.tenants == {"acme"}
    assert ada.tenants is None
    assert ada.may_call_for(TenantFact("globex", "globex", True))


def test_a_key_speaks_for_its_tenant_or_its_user():
    assert authenticate(KEY).tenants == {"acme"}
    assert authenticate(KEY, scheme="Api-Key").tenants == {"acme"}
    users = credentials(keys={DIGEST: key(DIGEST, tenant_id=None, user_id=2)})
    assert authenticate(KEY, users).tenants is None


def test_a_signature_is_checked_once():
    verifier = Verifier(alice=Claims(1, 3, NOW + 60))
    authenticator = Authenticator(verifier)
    for _ in range(3):
        authenticator.authenticate(b"Bearer alice", credentials(), NOW)
    assert verifier.asked == 1


def test_a_remembered_token_ends_with_its_time_its_user_and_its_epoch():
    assert refusal("alice", now=NOW + 60).message == "The token has expired."
    for user in (
        UserFact(1, False, False, 3),
        UserFact(1, True, False, 4),
    ):
        assert refusal("alice", credentials(users={1: user})).status == 401
    assert refusal("alice", credentials(users={})).status == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": NOW},
        {"is_revoked": True},
        {"tenant_id": None, "user_id": 7},
    ],
)
def test_a_key_that_is_over_is_refused(changed):
    known = credentials(keys={DIGEST: replace(key(DIGEST), **changed)})
    assert refusal(KEY, known).status == 401


def test_a_key_without_the_scope_is_refused_by_name():
    known = credentials(keys={DIGEST: key(DIGEST, scopes=("read",))})
    assert (refusal(KEY, known).status, refusal(KEY, known).code) == (403, "key_scope_missing")


@pytest.mark.parametrize(
    ("credential", "scheme"),
    [
        ("", "Bearer"),
        ("alice", "Basic"),
        ("nobody", "Bearer"),
        ("alice", "Api-Key"),
        ("ä", "Bearer"),
        ("x" * 5000, "Bearer"),
    ],
)
def test_anything_else_is_refused_with_a_challenge(credential, scheme):
    found = refusal(credential, scheme=scheme)
    assert found.status == 401
    assert found.headers == (b'www-authenticate: Bearer realm="hotswap"\r\n',)


def request(path="/api/v1/tenants/acme/plugins/echo/invoke"):
    return Request(path, f"Bearer {KEY}".encode(), "request-1", "trace", "", 0.0)


def admit(path=None, **fields):
    plugin = shard(installations={"acme": installation(requests_per_minute=5)})
    known = snapshot(
        shards={"p": plugin}, credentials=credentials(keys={DIGEST: key(DIGEST)}, **fields)
    )
    admission = Admission(Authenticator(Verifier()), Limits(600, 20))
    return admission.admit(request(path) if path else request(), known)


def test_a_caller_is_known_with_installation_and_limits():
    caller = admit()
    assert (caller.tenant.slug, caller.installation.id) == ("acme", "i-acme")
    assert caller.limits == Limits(5, 20)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/tenants/globex/plugins/echo/invoke",
        "/api/v1/tenants/nobody/plugins/echo/invoke",
        "/api/v1/tenants/acme/plugins/other/invoke",
        "/api/v1/tenants/acme/plugins/echo",
        "/api/v2/tenants/acme/plugins/echo/invoke",
    ],
)
def test_what_is_not_the_callers_is_not_there(path):
    with pytest.raises(RefusedError) as caught:
        admit(path)
    assert caught.value.refusal.status == 404


def test_a_deleted_tenant_is_not_there_and_a_suspended_one_is_told():
    deleted = {"acme": TenantFact("acme", "acme", is_active=False, is_deleted=True)}
    suspended = {"acme": TenantFact("acme", "acme", is_active=False)}
    for tenants, status in ((deleted, 404), (suspended, 403)):
        with pytest.raises(RefusedError) as caught:
            admit(tenants=tenants)
        assert caught.value.refusal.status == status
