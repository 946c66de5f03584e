"""A plugin that takes a config and a secret, installed for acme."""

import pytest

from tests.factories import make_installation, make_plugin, make_version, minimal_manifest

SCHEMA = {
    "type": "object",
    "properties": {"currency": {"enum": ["EUR", "USD"]}},
    "additionalProperties": False,
}


@pytest.fixture
def signer(bob, keys_dir):
    """A plugin whose only version declares the secrets ``hmac_key`` and ``other``."""
    plugin = make_plugin("signer", owner=bob)
    secrets = {"hmac_key": {"mode": "value"}, "other": {"mode": "value"}}
    changes = {"secrets": secrets, "config": {"schema": SCHEMA}}
    make_version(plugin, manifest=minimal_manifest("signer", "1.0.0", **changes))
    return plugin


@pytest.fixture
def installation(acme, signer):
    return make_installation(acme, signer)
