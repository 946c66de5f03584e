import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.models import AuditEvent
from plugins.models import PublisherKey
from plugins.trust.keyfiles import public_pem
from plugins.trust.publisher_keys import register_publisher_key
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/publisher-keys/"


def text(response):
    return response.content.decode()


def new_pem():
    return public_pem(Ed25519PrivateKey.generate().public_key())


@pytest.fixture
def key(bob):
    return register_publisher_key(name="laptop", public_key=new_pem(), by=bob)


def test_a_developer_registers_a_key_to_the_end_of_a_day(signed_in, bob):
    values = {"name": "pipeline", "public_key": new_pem(), "last_day": "2027-03-01"}
    page = signed_in(bob).post(ADDRESS, values, follow=True)
    assert "The key pipeline is registered" in text(page)
    key = PublisherKey.objects.get()
    assert key.publisher == bob
    assert key.not_after.isoformat().startswith("2027-03-01T23:59:59")


def test_what_is_no_key_is_refused_beside_the_field(signed_in, bob):
    page = signed_in(bob).post(ADDRESS, {"name": "x", "public_key": "hello"})
    assert page.status_code == 400
    assert 'class="wrong"' in text(page) or 'role="alert"' in text(page)
    assert not PublisherKey.objects.exists()


def test_a_key_that_would_last_too_long_is_refused(signed_in, bob):
    values = {"name": "x", "public_key": new_pem(), "last_day": "2099-01-01"}
    assert "five years" in text(signed_in(bob).post(ADDRESS, values))


def test_revoking_asks_why_and_is_kept(signed_in, bob, key):
    client = signed_in(bob)
    assert "say why" in text(client.post(f"{ADDRESS}{key.key_id}/revoke/", follow=True))
    client.post(f"{ADDRESS}{key.key_id}/revoke/", {"reason": "laptop stolen"})
    key.refresh_from_db()
    assert key.revocation_reason == "laptop stolen"
    assert AuditEvent.objects.filter(action="publisher_key.revoked", actor="bob").exists()
    assert "Revoke…" not in text(client.get(ADDRESS))


def test_others_neither_see_nor_revoke_it(signed_in, key):
    client = signed_in(make_user("dora", role="Developer"))
    assert key.key_id not in text(client.get(ADDRESS))
    assert client.post(f"{ADDRESS}{key.key_id}/revoke/", {"reason": "no"}).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_an_admin_sees_every_key(signed_in, ada, key):
    assert key.key_id in text(signed_in(ada).get(ADDRESS))


@pytest.mark.parametrize("name", ["carol", "victor"])
def test_only_developers_have_keys(name, request, signed_in):
    assert signed_in(request.getfixturevalue(name)).get(ADDRESS).status_code == 403
