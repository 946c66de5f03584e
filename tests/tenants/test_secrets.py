"""Secrets go in and never come out but to a plugin's process."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from psycopg import sql

from deployments.sealing import context_of
from hotswap.lib.errors import ConflictError, InvalidInputError, NotFoundError
from hotswap.lib.sealing import public_key_of
from observability.models import AuditEvent
from tenants import services
from tenants.models import Tenant, TenantDataKey, TenantPluginConfig, TenantSecret
from tenants.secrets import SecretUnreadableError, reveal_secrets
from tests.factories import make_installation, make_instance, make_tenant

PLANTED = "planted-7f3a9c-value"


@pytest.fixture
def planted(installation, alice):
    services.set_secret(installation=installation, key="hmac_key", value=PLANTED, by=alice)
    installation.refresh_from_db()
    return installation


def test_what_was_set_is_what_a_process_gets(planted):
    assert reveal_secrets(planted) == {"hmac_key": PLANTED}


def test_a_secret_moves_the_epoch_and_the_generation(installation, alice):
    before = installation.epoch, installation.environment.generation
    services.set_secret(installation=installation, key="hmac_key", value="a", by=alice)
    installation.refresh_from_db()
    assert installation.epoch == before[0] + 1
    assert installation.generation > before[1]


def test_a_new_value_takes_the_place_of_the_old(planted, alice):
    services.set_secret(installation=planted, key="hmac_key", value="new", by=alice)
    assert reveal_secrets(planted) == {"hmac_key": "new"}


def test_a_deleted_secret_is_gone(planted, alice):
    services.delete_secret(installation=planted, key="hmac_key", by=alice)
    assert reveal_secrets(planted) == {}
    with pytest.raises(NotFoundError):
        services.delete_secret(installation=planted, key="hmac_key", by=alice)


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("Hmac-Key", "v", "key"),
        ("", "v", "key"),
        ("undeclared", "v", "key"),
        ("hmac_key", "", "value"),
        ("hmac_key", "x" * 20_000, "value"),
        ("hmac_key", "nul\0", "value"),
        ("hmac_key", "half \ud800", "value"),
    ],
)
def test_a_bad_secret_is_refused_by_the_name_of_its_field(installation, alice, key, value, field):
    with pytest.raises(InvalidInputError) as refusal:
        services.set_secret(installation=installation, key=key, value=value, by=alice)
    assert list(refusal.value.fields) == [field]
    assert not TenantSecret.objects.exists()


def test_a_ciphertext_does_not_open_under_another_name(planted, alice):
    services.set_secret(installation=planted, key="other", value="b", by=alice)
    stolen = TenantSecret.objects.get(key="hmac_key").ciphertext
    TenantSecret.objects.filter(key="other").update(ciphertext=stolen)
    with pytest.raises(SecretUnreadableError):
        reveal_secrets(planted)


def test_a_ciphertext_does_not_open_in_another_installation(planted, acme, signer, alice):
    development = make_installation(acme, signer, env="development")
    services.set_secret(installation=development, key="hmac_key", value="b", by=alice)
    stolen = TenantSecret.objects.get(installation=planted).ciphertext
    TenantSecret.objects.filter(installation=development).update(ciphertext=stolen)
    with pytest.raises(SecretUnreadableError):
        reveal_secrets(development)


def test_a_data_key_does_not_open_for_another_tenant(planted, signer, mallory):
    globex = make_tenant("globex", owner=mallory)
    theirs = make_installation(globex, signer)
    services.set_secret(installation=theirs, key="hmac_key", value="b", by=mallory)
    stolen = TenantDataKey.objects.exclude(tenant=globex).get().wrapped
    TenantDataKey.objects.filter(tenant=globex).update(wrapped=stolen)
    with pytest.raises(SecretUnreadableError):
        reveal_secrets(theirs)


def test_without_the_platforms_key_nothing_opens(planted, monkeypatch):
    monkeypatch.setattr("tenants.secrets.key_encryption_key", lambda: secrets.token_bytes(32))
    with pytest.raises(SecretUnreadableError, match="bring that key back"):
        reveal_secrets(planted)


def test_a_new_value_mends_what_was_altered(planted, alice):
    TenantSecret.objects.update(ciphertext=b"\x01 altered beyond repair, whatever it was")
    services.set_secret(installation=planted, key="hmac_key", value="new", by=alice)
    assert reveal_secrets(planted) == {"hmac_key": "new"}


def test_the_audit_names_the_secret_and_has_no_value(planted):
    event = AuditEvent.objects.get(action="installation.secret_set")
    assert event.after["name"] == "hmac_key"
    assert PLANTED not in str(event.__dict__)


def test_no_table_has_the_plaintext(transactional_db, installation, as_user, alice, connect_as):
    make_instance(public_key=public_key_of(_any_key()))
    answer = as_user(alice).put(
        "/api/v1/tenants/acme/plugins/signer/secrets/hmac_key",
        {"value": PLANTED},
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status_code == 200, answer.json()
    assert PLANTED not in answer.content.decode()
    dump = _dump_everything(connect_as("superuser"))
    assert "hmac_key" in dump, "the dump must have the row"
    assert PLANTED not in dump
    assert PLANTED.encode().hex() not in dump


def test_no_log_line_has_the_plaintext(installation, as_user, alice, caplog, capfd):
    address = "/api/v1/tenants/acme/plugins/signer/secrets"
    as_user(alice).put(f"{address}/hmac_key", {"value": PLANTED})
    as_user(alice).put(f"{address}/undeclared", {"value": PLANTED})
    as_user(alice).put(f"{address}/hmac_key", {"value": PLANTED, "extra": PLANTED})
    written = capfd.readouterr()
    assert PLANTED not in caplog.text + written.out + written.err


def test_deleting_a_tenant_destroys_its_key_and_its_secrets(planted, ada):
    services.delete_tenant(tenant=planted.tenant, by=ada)
    assert not TenantDataKey.objects.exists()
    assert not TenantSecret.objects.exists()
    assert not Tenant.objects.existing().exists()
    row = TenantPluginConfig.objects.get()
    assert (row.is_enabled, row.config) == (False, {})


def test_a_suspended_tenant_sets_no_secrets(installation, ada, alice):
    installation.tenant = services.suspend_tenant(tenant=installation.tenant, by=ada)
    with pytest.raises(ConflictError, match="resume"):
        services.set_secret(installation=installation, key="hmac_key", value="v", by=alice)


def test_a_sealed_row_stands_for_one_instance_installation_and_epoch():
    contexts = {context_of("a", "b", 1), context_of("b", "a", 1), context_of("a", "b", 2)}
    assert len(contexts) == 3


def _any_key():
    return X25519PrivateKey.generate()


def _dump_everything(connected):
    tables = connected.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    query = sql.SQL("SELECT t::text FROM {} AS t")
    rows = [connected.execute(query.format(sql.Identifier(name))).fetchall() for (name,) in tables]
    return "\n".join(str(row) for found in rows for row in found)
