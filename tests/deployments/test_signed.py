"""A version whose signature counts no more is refused before a deployment begins."""

import pytest

from deployments.refusals import refuse_candidate
from hotswap.lib.errors import ConflictError
from plugins.models import PluginVersion
from plugins.trust.publisher_keys import revoke_publisher_key
from tests.factories import environment, make_plugin, make_version
from tests.publishers import Publisher

pytestmark = pytest.mark.django_db


def test_the_version_of_a_revoked_key_is_refused(bob):
    publisher = Publisher(bob)
    make_version(make_plugin(owner=bob), "1.0.0")
    PluginVersion.objects.update(signed_by=publisher.key)
    refuse_candidate(PluginVersion.objects.get(), environment())

    revoke_publisher_key(key=publisher.key, by=bob, reason="stolen")
    with pytest.raises(ConflictError) as caught:
        refuse_candidate(PluginVersion.objects.get(), environment())
    assert caught.value.code == "publisher_key_revoked"
