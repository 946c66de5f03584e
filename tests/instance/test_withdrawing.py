"""What a real instance does with a version that is deprecated, yanked or revoked."""

import pytest

from deployments.models import Placement
from plugins.services import deprecate_version, revoke_version, yank_version
from tenants.services import pin_installation
from tests.instance.places import call, descendants
from tests.waiting import wait_until


@pytest.fixture
def served(place):
    place.version, (place.instance,) = place.serve()
    return place


def outcome(served, tenant="acme"):
    answer = call(served.instance, tenant, served.keys[tenant], text="hi")
    body = answer.json()
    return answer.status_code, body.get("outcome") or body["error"]["code"]


def wait_refused(served, tenant="acme"):
    revoked = (409, "version_revoked")
    wait_until(lambda: outcome(served, tenant) == revoked, what=f"{tenant} is told of it")


def test_a_revoked_stable_version_is_stopped_and_its_calls_say_so(served):
    assert outcome(served) == (200, "ok")
    before = descendants(served.instance.pid)
    assert before

    revoke_version(version=served.version, by=served.carol, comment="it leaks")

    wait_refused(served)
    placements = Placement.objects.filter(version=served.version)
    wait_until(lambda: not placements.exists(), what="it is unloaded")
    wait_until(lambda: not descendants(served.instance.pid), what="its processes have ended")
    served.start("i-2")
    assert not placements.exists()


def test_a_revoked_version_stops_for_whom_it_is_pinned_and_for_nobody_else(served):
    newer = served.publish("2.0.0")
    pin_installation(
        installation=served.installations["acme"],
        version=served.version,
        reason="audit",
        by=served.ada,
    )
    served.wait_acked(served.route(stable=newer))
    served.wait_placed(newer)
    assert outcome(served) == outcome(served, "globex") == (200, "ok")

    revoke_version(version=served.version, by=served.carol)

    wait_refused(served)
    assert outcome(served, "globex") == (200, "ok")


@pytest.mark.parametrize("withdraw", [deprecate_version, yank_version])
def test_what_runs_goes_on_when_it_is_deprecated_or_yanked(served, withdraw):
    withdraw(version=served.version, by=served.carol, comment="use 2.0.0")
    served.environment.refresh_from_db()
    served.wait_acked(served.environment.generation)

    assert outcome(served) == (200, "ok")
    later = served.start("i-2")
    served.wait_placed(served.version, "i-2")
    assert call(later, "acme", served.keys["acme"], text="hi").status_code == 200
