"""Deployments over HTTP: who may ask what, each refusal by its code, without a trace."""

from uuid import uuid4

import pytest

from deployments.models import Deployment, DeploymentCommand, Status
from plugins.models import Environment, VersionStatus
from tests.factories import (
    environment,
    make_api_key,
    make_deployment,
    make_installation,
    make_user,
    make_version,
)

BODY = {"plugin": "echo", "environment": "qa", "version": "2.0.0"}


@pytest.fixture
def actors(ada, bob, carol, victor, alice, mallory):
    return {user.username: user for user in (ada, bob, carol, victor, alice, mallory)}


@pytest.fixture
def running(v2, v1_is_stable):
    return make_deployment(v2, incumbent=v1_is_stable.stable)


def _post(client, path, body=None):
    return client.post(f"/api/v1/{path}", body or {})


def test_a_developer_requests_a_deployment(as_user, bob, v2, v1_is_stable):
    answer = _post(as_user(bob), "deployments", BODY)
    assert answer.status_code == 202
    found = answer.json()
    assert (found["plugin"], found["candidate"], found["incumbent"]) == ("echo", "2.0.0", "1.0.0")
    assert found["status"] == "pending"
    assert [step["kind"] for step in found["steps"]][:2] == ["load", "probe"]
    assert answer["Location"] == f"/api/v1/deployments/{found['id']}"
    assert as_user(bob).get(answer["Location"]).json()["id"] == found["id"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("carol", 403), ("victor", 403), ("alice", 403), ("mallory", 403), (None, 401)],
)
@pytest.mark.parametrize("path", ["deployments", "deployments/plan"])
def test_who_is_no_developer_deploys_nothing(actors, as_user, v2, who, status, path):
    assert _post(as_user(actors.get(who)), path, BODY).status_code == status
    assert not Deployment.objects.exists()


REFUSED = {
    "an unknown plugin": ({"plugin": "ghost"}, 400, "invalid", "plugin"),
    "an unknown environment": ({"environment": "moon"}, 400, "invalid", "environment"),
    "an unknown version": ({"version": "9.9.9"}, 400, "invalid", "version"),
    "an unknown strategy": ({"strategy": "magic"}, 400, "unknown_strategy", "strategy"),
    "an unknown option": (
        {"options": {"colour": 1}},
        400,
        "invalid_options",
        "options.colour",
    ),
    "an option of another type": (
        {"options": {"bake_seconds": "long"}},
        400,
        "invalid_options",
        "options.bake_seconds",
    ),
    "an option out of range": (
        {"options": {"bake_seconds": -1}},
        400,
        "invalid_options",
        "options.bake_seconds",
    ),
    "an unknown field": ({"colour": "red"}, 400, "invalid", "colour"),
    "an unknown way with the active one": ({"if_active": "ask"}, 400, "invalid", "if_active"),
    "the stable version": ({"version": "1.0.0"}, 409, "already_stable", None),
    "an unapproved version": ({"version": "3.0.0"}, 409, "version_draft", None),
    "a revoked version": ({"version": "4.0.0"}, 409, "version_revoked", None),
}


@pytest.mark.parametrize(("change", "status", "code", "field"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_its_name(
    as_user, bob, echo, v2, v1_is_stable, change, status, code, field
):
    make_version(echo, "3.0.0", status=VersionStatus.DRAFT)
    make_version(echo, "4.0.0", status=VersionStatus.REVOKED)
    answer = _post(as_user(bob), "deployments", BODY | change)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert field is None or field in error["fields"]
    assert not Deployment.objects.exists()


def test_an_unapproved_version_may_go_to_development(as_user, bob, echo):
    make_version(echo, "3.0.0", status=VersionStatus.DRAFT)
    body = BODY | {"version": "3.0.0", "environment": "development"}
    assert _post(as_user(bob), "deployments", body).status_code == 202


def test_a_disabled_plugin_is_not_deployed(as_user, bob, echo, v2):
    echo.is_active = False
    echo.save()
    answer = _post(as_user(bob), "deployments", BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "plugin_disabled")


def test_a_frozen_environment_takes_no_deployment(as_user, bob, v2):
    Environment.objects.filter(name="qa").update(is_frozen=True)
    answer = _post(as_user(bob), "deployments", BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "environment_frozen")


def test_a_second_deployment_is_refused_naming_the_first(as_user, bob, running):
    answer = _post(as_user(bob), "deployments", BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "deployment_active")
    assert str(running.pk) in answer.json()["error"]["message"]


def test_a_second_deployment_can_wait(as_user, bob, running):
    answer = _post(as_user(bob), "deployments", BODY | {"if_active": "queue"})
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")


def test_the_same_request_with_the_same_key_deploys_once(as_user, bob, v2):
    for _ in range(2):
        answer = as_user(bob).post("/api/v1/deployments", BODY, headers={"Idempotency-Key": "once"})
        assert answer.status_code == 202
    assert Deployment.objects.count() == 1


def test_a_plan_shows_the_steps_and_changes_nothing(as_user, bob, v2, v1_is_stable, tenants):
    answer = _post(as_user(bob), "deployments/plan", BODY)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["tenants"], found["incumbent"]) == (5, "1.0.0")
    assert [step["tenants"] for step in found["steps"] if step["kind"] == "route"] == [5]
    assert not Deployment.objects.exists()


def test_a_plan_names_the_tenants_whose_config_does_not_fit(as_user, bob, v2, tenants):
    tenants[0].installations.update(config={"colour": "red"})
    found = _post(as_user(bob), "deployments/plan", BODY).json()
    assert [each["tenant"] for each in found["offenders"]] == ["tenant-0"]
    assert found["offenders"][0]["problems"][0]["message"]


def test_deployments_are_listed_with_a_fixed_number_of_queries(
    as_user, victor, running, echo, django_assert_max_num_queries
):
    for number in range(5):
        candidate = make_version(echo, f"3.{number}.0")
        make_deployment(candidate, status=Status.COMPLETED)
    with django_assert_max_num_queries(16):
        found = as_user(victor).get("/api/v1/deployments").json()
    assert found["count"] == 6


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("plugin=echo", 2),
        ("plugin=ghost", 0),
        ("environment=qa", 2),
        ("status=active", 1),
        ("status=paused", 1),
        ("status=in_progress", 0),
        ("status=completed", 1),
        ("requested_by=bob", 2),
        ("strategy=direct", 2),
    ],
)
def test_the_list_is_filtered(as_user, victor, running, v1, query, count):
    Deployment.objects.filter(pk=running.pk).update(pause_reasons=["manual"])
    make_deployment(v1, status=Status.COMPLETED)
    assert as_user(victor).get(f"/api/v1/deployments?{query}").json()["count"] == count


def test_an_unknown_status_is_refused(as_user, victor):
    assert as_user(victor).get("/api/v1/deployments?status=lost").status_code == 400


def test_a_tenants_people_see_the_deployments_of_what_they_use(
    as_user, alice, mallory, acme, globex, running, echo
):
    make_installation(acme, echo)
    address = f"/api/v1/deployments/{running.pk}"
    assert as_user(alice).get(address).status_code == 200
    assert as_user(mallory).get(address).status_code == 404
    assert as_user(mallory).get("/api/v1/deployments").json()["count"] == 0
    assert as_user(mallory).get(f"{address}/events").status_code == 404


MAY = {
    # requested by bob, who owns the plugin
    "pause": {"ada", "bob", "carol"},
    "rollback": {"ada", "bob", "carol"},
    "abort": {"ada", "bob", "carol"},
    "promote": {"ada", "carol"},
}


@pytest.mark.parametrize("kind", MAY)
@pytest.mark.parametrize("who", ["ada", "bob", "carol", "victor", "alice", "mallory"])
def test_each_command_is_for_those_it_is_meant_for(actors, as_user, running, acme, echo, who, kind):
    make_installation(acme, echo)
    answer = _post(as_user(actors[who]), f"deployments/{running.pk}/{kind}")
    expected = 202 if who in MAY[kind] else 404 if who == "mallory" else 403
    assert answer.status_code == expected, answer.json()
    assert DeploymentCommand.objects.exists() == (expected == 202)


def test_another_developer_steers_nothing(as_user, running):
    dora = make_user("dora", role="Developer")
    assert _post(as_user(dora), f"deployments/{running.pk}/pause").status_code == 403


def test_nobody_promotes_what_is_their_own(as_user, running, carol):
    Deployment.objects.filter(pk=running.pk).update(requested_by=carol)
    answer = _post(as_user(carol), f"deployments/{running.pk}/promote")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "own_deployment")


@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_no_key_decides(as_key, carol, v2, kind):
    waiting = make_deployment(v2, status=Status.AWAITING_APPROVAL, required_approvals=1)
    _, secret = make_api_key(user=carol, scopes=("read", "write", "invoke"))
    answer = _post(as_key(secret), f"deployments/{waiting.pk}/{kind}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_not_allowed")
    assert not DeploymentCommand.objects.exists()


def test_an_approver_approves(as_user, carol, v2):
    waiting = make_deployment(v2, status=Status.AWAITING_APPROVAL, required_approvals=1)
    answer = _post(as_user(carol), f"deployments/{waiting.pk}/approve", {"comment": "looks well"})
    assert (answer.status_code, answer.json()["approvals"]) == (202, 1)
    assert DeploymentCommand.objects.get().arguments == {"comment": "looks well"}


@pytest.mark.parametrize("kind", ["pause", "resume", "abort", "promote", "skip", "approve"])
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.ROLLED_BACK, Status.FAILED])
def test_what_is_finished_takes_no_command(as_user, ada, v2, kind, status):
    finished = make_deployment(v2, status=status)
    make_user("eve", role="Approver")
    answer = _post(as_user(ada), f"deployments/{finished.pk}/{kind}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "deployment_state")
    assert status.replace("_", " ") in answer.json()["error"]["message"].replace("_", " ")


def test_pausing_twice_is_one_pause(as_user, bob, running):
    for _ in range(2):
        assert _post(as_user(bob), f"deployments/{running.pk}/pause").status_code == 202
    assert DeploymentCommand.objects.count() == 1


def test_a_completed_deployment_is_rolled_back_by_a_new_one(as_user, bob, v1, v2, v1_is_stable):
    completed = make_deployment(v2, incumbent=v1, status=Status.COMPLETED)
    v1_is_stable.stable = v2
    v1_is_stable.save()
    answer = _post(as_user(bob), f"deployments/{completed.pk}/rollback")
    assert answer.status_code == 202, answer.json()
    found = answer.json()
    assert (found["kind"], found["candidate"]) == ("rollback", "1.0.0")
    assert found["id"] != str(completed.pk)


def test_an_unknown_deployment_is_not_found(as_user, ada):
    for path in ("", "/events", "/pause"):
        address = f"/api/v1/deployments/{uuid4()}{path}"
        client = as_user(ada)
        answer = client.post(address) if path == "/pause" else client.get(address)
        assert answer.status_code == 404


def test_a_command_with_an_unknown_field_is_refused(as_user, bob, running):
    answer = _post(as_user(bob), f"deployments/{running.pk}/pause", {"now": True})
    assert answer.status_code == 400
    assert not DeploymentCommand.objects.exists()


def test_every_strategy_is_listed_with_its_options(as_user, victor):
    found = as_user(victor).get("/api/v1/strategies").json()
    direct = next(each for each in found if each["name"] == "direct")
    assert "bake_seconds" in [option["name"] for option in direct["options"]]
    assert all(option["help"] for option in direct["options"])


def test_a_deployment_to_production_waits_for_two(as_user, bob, v2):
    found = _post(as_user(bob), "deployments", BODY | {"environment": "production"}).json()
    assert (found["status"], found["required_approvals"]) == ("awaiting_approval", 2)
    assert found["steps"][0]["kind"] == "approve"
    assert environment("production").required_approvals == 2
