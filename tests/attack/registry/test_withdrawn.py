"""Versions that were called back (P19): nothing new takes them, by whatever way it is asked."""

import pytest

from deployments.models import Deployment
from plugins.models import PluginVersion
from tests.artifacts import plugin_zip
from tests.factories import make_installation, make_route

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions"
REASON = "it loses cents"


@pytest.fixture
def uploaded(echo, upload, as_user, carol):
    """Versions 1.0.0, stable in qa, and 2.0.0, both uploaded and approved over the API."""
    for version in ("1.0.0", "2.0.0"):
        assert upload(plugin_zip(version=version)).status_code == 201
        assert as_user(carol).post(f"{ADDRESS}/{version}/approve", {}).status_code == 200
    make_route(echo, stable=PluginVersion.objects.get(version="1.0.0"))


@pytest.fixture
def withdraw(uploaded, as_user, carol):
    def post(verb, version="2.0.0"):
        answer = as_user(carol).post(f"{ADDRESS}/{version}/{verb}", {"comment": REASON})
        assert answer.status_code == 200, answer.json()

    return post


VERBS = {"yank": "yanked", "revoke": "revoked"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_deployment_does_not_take_a_version_after(withdraw, as_user, bob, verb):
    """P19"""
    withdraw(verb)
    body = {"plugin": "echo", "environment": "qa", "version": "2.0.0"}

    answer = as_user(bob).post("/api/v1/deployments", body, format="json")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, f"version_{VERBS[verb]}")
    assert [
        word for word in ("echo 2.0.0", REASON, "choose another") if word not in str(error)
    ] == []
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_a_pin_does_not_take_a_version_after(withdraw, as_user, alice, acme, echo, verb):
    """P19"""
    installation = make_installation(acme, echo)
    withdraw(verb, "1.0.0")
    body = {"version": "1.0.0", "reason": "audit"}

    answer = as_user(alice).put("/api/v1/tenants/acme/plugins/echo/pin", body, format="json")

    assert (answer.status_code, VERBS[verb] in answer.json()["error"]["message"]) == (409, True)
    installation.refresh_from_db()
    assert installation.pinned_version is None


@pytest.mark.parametrize("verb", VERBS)
def test_no_decision_brings_a_version_back_after(withdraw, as_user, carol, nothing_changes, verb):
    """P19"""
    withdraw(verb)
    for again in ("approve", "deprecate", "reject"):
        with nothing_changes():
            answer = as_user(carol).post(f"{ADDRESS}/2.0.0/{again}", {})

        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (409, "version_status"), again
        assert REASON in error["message"] and "upload a new version" in error["message"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_same_bytes_are_not_taken_anew_after(withdraw, upload, nothing_changes, verb):
    """P19: nor is the number given to others."""
    withdraw(verb)
    for content in (plugin_zip(version="2.0.0"), plugin_zip({"n.txt": ""}, version="2.0.0")):
        with nothing_changes():
            answer = upload(content)

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "version_exists")


def test_a_tenant_that_is_pinned_keeps_a_yanked_version_and_is_warned(
    withdraw, as_user, alice, acme, echo
):
    """P19: as PEP 592 has it for an exact pin."""
    version = PluginVersion.objects.get(version="1.0.0")
    make_installation(acme, echo, pinned_version=version, pin_reason="audit")
    withdraw("yank", "1.0.0")

    shown = as_user(alice).get("/api/v1/tenants/acme/plugins/echo").json()

    assert shown["version"] == "1.0.0"
    assert [REASON in warning for warning in shown["warnings"]] == [True]
