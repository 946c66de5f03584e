"""What becomes of a version after its approval, and what its users are told."""

import pytest

from observability.models import AuditEvent
from plugins.models import PluginVersion, VersionStatus
from tests.factories import (
    make_installation,
    make_plugin,
    make_route,
    make_version,
    minimal_manifest,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions"


@pytest.fixture
def decide(as_user, carol):
    def post(verb, comment="it loses cents", version="1.0.0"):
        return as_user(carol).post(f"{ADDRESS}/{version}/{verb}", {"comment": comment})

    return post


@pytest.mark.parametrize("verb", ["deprecate", "yank", "revoke"])
def test_the_reason_is_kept_shown_and_audited(echo, decide, as_user, victor, verb):
    make_version(echo)

    body = decide(verb).json()

    assert body["status_reason"] == "it loses cents"
    assert as_user(victor).get(ADDRESS).json()["results"][0]["status_reason"] == "it loses cents"
    assert AuditEvent.objects.get().after["comment"] == "it loses cents"


@pytest.mark.parametrize(
    ("verb", "status"), [("deprecate", "deprecated"), ("yank", "yanked"), ("revoke", "revoked")]
)
def test_a_repeat_is_answered_by_the_state_and_its_reason(echo, decide, verb, status):
    make_version(echo)
    decide(verb)

    answer = decide(verb, comment="again")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "version_status")
    assert error["message"] == (
        f"echo 1.0.0 is {status} already (it loses cents): nothing was changed."
    )
    assert PluginVersion.objects.get().status_reason == "it loses cents"
    assert AuditEvent.objects.count() == 1


def test_a_status_never_goes_back(echo, decide, keys_dir):
    make_version(echo)
    decide("yank")

    message = decide("approve").json()["error"]["message"]

    assert message.startswith("echo 1.0.0 is yanked (it loses cents): only a version that is draft")
    assert "A status never goes back: upload a new version instead." in message


@pytest.mark.parametrize("verb", ["deprecate", "yank", "revoke"])
def test_nobody_withdraws_their_own_version(as_user, ada, nothing_changes, verb):
    make_version(make_plugin("echo", owner=ada))

    with nothing_changes():
        answer = as_user(ada).post(f"{ADDRESS}/1.0.0/{verb}", {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "own_version")


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ("deprecate", "move to a newer one"),
        ("yank", "it runs on here, but no new pin or deployment takes it"),
        ("revoke", "calls are refused until another version is pinned or deployed"),
    ],
)
def test_who_runs_or_pins_it_is_warned(echo, decide, as_user, alice, acme, verb, says):
    version = make_version(echo)
    make_route(echo, stable=make_version(echo, "2.0.0"))
    make_installation(acme, echo, pinned_version=version, pin_reason="audit")
    address = "/api/v1/tenants/acme/plugins/echo"
    assert as_user(alice).get(address).json()["warnings"] == []

    status = decide(verb).json()["status"]

    shown = as_user(alice).get(address).json()
    assert shown["version"] == "1.0.0"
    assert shown["warnings"] == [f"echo 1.0.0 is {status} (it loses cents); {says}"]
    event = AuditEvent.objects.get(action=f"installation.version_{status}")
    assert (event.tenant_id, event.actor) == (acme.pk, "carol")
    assert event.after["reason"] == "it loses cents"


def test_an_environment_that_runs_it_has_an_event(echo, decide):
    make_route(echo, stable=make_version(echo))

    decide("yank")

    event = AuditEvent.objects.get(action="version.yanked_in_use")
    assert (event.object_id, event.after["environment"]) == ("echo 1.0.0", "qa")


@pytest.mark.parametrize("status", ["yanked", "revoked"])
def test_a_new_pin_is_refused(echo, as_user, alice, acme, status):
    make_route(echo, stable=make_version(echo, status=status))
    make_installation(acme, echo)

    answer = as_user(alice).put(
        "/api/v1/tenants/acme/plugins/echo/pin", {"version": "1.0.0", "reason": "audit"}
    )

    assert answer.status_code == 409
    assert status in answer.json()["error"]["message"]


def test_a_pin_to_a_yanked_version_may_be_kept_longer(echo, as_user, alice, acme):
    version = make_version(echo, status="yanked")
    make_route(echo, stable=version)
    make_installation(acme, echo, pinned_version=version, pin_reason="audit")

    answer = as_user(alice).put(
        "/api/v1/tenants/acme/plugins/echo/pin", {"version": "1.0.0", "reason": "a longer audit"}
    )

    assert (answer.status_code, answer.json()["pin"]["reason"]) == (200, "a longer audit")


def compared(echo, version, **changes):
    approved = make_version(echo, "1.0.0")
    approved.approval = {"approvers": []}
    approved.save(update_fields=["approval"])
    manifest = minimal_manifest("echo", version, **changes)
    make_version(echo, version, status=VersionStatus.DRAFT, manifest=manifest)


def test_a_version_says_what_it_breaks_and_whether_its_number_says_so(
    echo, as_user, victor, artifacts
):
    compared(echo, "1.1.0", permissions={"native": True})

    body = as_user(victor).get(f"{ADDRESS}/1.1.0").json()

    assert (body["is_breaking"], body["compared_with"]) == (True, "1.0.0")
    assert body["breaking_changes"] == [
        {
            "kind": "permission_added",
            "path": "permissions.native",
            "message": "asks for native code",
        }
    ]
    (warning,) = body["warnings"]
    assert warning["code"] == "breaking_unannounced"
    assert "1.1.0 is not a new major version" in warning["message"]


def test_a_new_major_version_announces_it(echo, as_user, victor, artifacts):
    compared(echo, "2.0.0", permissions={"native": True})

    body = as_user(victor).get(f"{ADDRESS}/2.0.0").json()

    kinds = [change["kind"] for change in body["breaking_changes"]]
    assert (kinds, body["warnings"]) == (["major_version", "permission_added"], [])


def test_the_first_version_breaks_nothing(echo, as_user, victor):
    make_version(echo)

    body = as_user(victor).get(f"{ADDRESS}/1.0.0").json()

    assert (body["is_breaking"], body["breaking_changes"]) == (False, [])
    assert (body["compared_with"], body["warnings"]) == (None, [])
