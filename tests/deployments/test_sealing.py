"""Secrets reach every instance of their environment, sealed to its key, and no other."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.utils import timezone

from deployments.models import SealedSecret
from deployments.sealing import context_of, seal_installation, seal_missing
from hotswap.lib.sealing import SealBrokenError, open_sealed, public_key_of
from tenants import services
from tenants.models import TenantSecret
from tests.factories import (
    environment,
    make_installation,
    make_instance,
    make_plugin,
    make_version,
    minimal_manifest,
)

KEYS = {name: X25519PrivateKey.generate() for name in ("i-1", "i-2")}


@pytest.fixture
def installation(acme, bob, keys_dir):
    plugin = make_plugin("signer", owner=bob)
    declared = {"hmac_key": {"mode": "value"}}
    make_version(plugin, manifest=minimal_manifest("signer", "1.0.0", secrets=declared))
    return make_installation(acme, plugin)


@pytest.fixture
def instance(db):
    return _join("i-1")


def _join(name, **fields):
    return make_instance(name, public_key=public_key_of(KEYS[name]), **fields)


def _set(installation, value, by):
    services.set_secret(installation=installation, key="hmac_key", value=value, by=by)
    installation.refresh_from_db()


def _open(row, key):
    context = context_of(row.instance_id, row.installation_id, row.epoch)
    return json.loads(open_sealed(key, row.ciphertext, context))


def test_a_secret_is_sealed_in_the_transaction_that_sets_it(installation, instance, alice):
    _set(installation, "v", alice)
    row = SealedSecret.objects.get()
    assert _open(row, KEYS["i-1"]) == {"hmac_key": "v"}
    assert (row.epoch, row.public_key) == (installation.epoch, instance.public_key)
    assert row.generation == installation.generation == environment().generation


def test_only_the_instance_itself_opens_it(installation, instance, alice):
    _join("i-2")
    _set(installation, "v", alice)
    with pytest.raises(SealBrokenError):
        _open(SealedSecret.objects.get(instance=instance), KEYS["i-2"])


def test_an_instance_of_another_environment_gets_nothing(installation, alice):
    _join("i-1", env="development")
    _set(installation, "v", alice)
    assert not SealedSecret.objects.exists()
    assert seal_missing() == 0


def test_a_change_of_the_config_brings_the_secrets_along(installation, instance, alice):
    _set(installation, "v", alice)
    services.set_config(installation=installation, config={"a": 1}, by=alice)
    installation.refresh_from_db()
    row = SealedSecret.objects.get()
    assert row.epoch == installation.epoch
    assert _open(row, KEYS["i-1"]) == {"hmac_key": "v"}


def test_a_deleted_secret_is_taken_back(installation, instance, alice):
    _set(installation, "v", alice)
    services.delete_secret(installation=installation, key="hmac_key", by=alice)
    assert _open(SealedSecret.objects.get(), KEYS["i-1"]) == {}


def test_a_deleted_tenants_secrets_are_taken_back(installation, instance, alice, ada, acme):
    _set(installation, "v", alice)
    services.delete_tenant(tenant=acme, by=ada)
    assert _open(SealedSecret.objects.get(), KEYS["i-1"]) == {}


def test_an_instance_that_joins_gets_what_it_lacks_once(installation, instance, alice):
    _set(installation, "v", alice)
    late = _join("i-2")
    assert (seal_missing(), seal_missing()) == (1, 0)
    assert _open(SealedSecret.objects.get(instance=late), KEYS["i-2"]) == {"hmac_key": "v"}


def test_an_instance_with_a_new_key_gets_its_secrets_anew(installation, instance, alice):
    _set(installation, "v", alice)
    instance.public_key = public_key_of(KEYS["i-2"])
    instance.save()
    before = environment().generation
    assert seal_missing() == 1
    row = SealedSecret.objects.get()
    assert _open(row, KEYS["i-2"]) == {"hmac_key": "v"}
    assert row.generation == before + 1


def test_sealing_many_stops_at_its_limit_and_goes_on(installation, alice, acme):
    _set(installation, "v", alice)
    for name in ("i-1", "i-2"):
        _join(name)
    assert [seal_missing(limit=1) for _ in range(3)] == [1, 1, 0]


def test_a_bad_key_of_one_instance_does_not_stand_in_the_others_way(installation, instance, alice):
    make_instance("i-bad", public_key="no key at all")
    _set(installation, "v", alice)
    assert SealedSecret.objects.get().instance == instance
    assert seal_missing() == 0


def test_an_altered_secret_leaves_nothing_outdated_with_the_instances(
    installation, instance, alice
):
    _set(installation, "v", alice)
    TenantSecret.objects.update(ciphertext=b"\x01 altered")
    services.set_config(installation=installation, config={"a": 1}, by=alice)
    assert not SealedSecret.objects.exists()


def test_what_was_sealed_to_an_instance_long_lost_is_forgotten(installation, instance, alice):
    _set(installation, "v", alice)
    instance.heartbeat_at = timezone.now() - timedelta(days=2)
    instance.save()
    assert seal_missing() == 0
    assert not SealedSecret.objects.exists()


def test_sealing_by_hand_reaches_every_instance(installation, instance, alice):
    _set(installation, "v", alice)
    _join("i-2")
    assert seal_installation(installation) == 2


def test_an_installation_without_secrets_needs_no_row(installation, instance, alice):
    services.set_config(installation=installation, config={"a": 1}, by=alice)
    assert not SealedSecret.objects.exists()
    assert seal_missing() == 0


def test_an_instance_is_told_that_there_are_secrets(installation, instance, alice, connect_as):
    query = "SELECT has_secrets FROM instance_installations"
    _set(installation, "v", alice)
    connected = connect_as("instance")
    for name, value in (("hotswap.scope", "all"), ("hotswap.environment", "qa")):
        connected.execute("SELECT set_config(%s, %s, false)", [name, value])
    assert connected.execute(query).fetchall() == [(True,)]
