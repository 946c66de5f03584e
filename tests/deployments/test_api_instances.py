"""What runs, over HTTP: instances, the health and figures of a plugin, the kill switch."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from deployments.models import PlacementState, Route
from observability.histogram import record
from observability.models import AuditEvent, CallWindow
from tests.factories import (
    environment,
    make_installation,
    make_instance,
    make_placement,
    make_version,
    minimal_manifest,
)


@pytest.fixture
def loaded(v1, v1_is_stable):
    instance = make_instance()
    return make_placement(instance, v1)


def _count_calls(version, *, calls=100, failures=0, seconds=0.01, env="qa", ago=5):
    CallWindow.objects.create(
        instance="i-1",
        boot=uuid4(),
        environment=env,
        plugin_id=version.plugin_id,
        version_id=version.pk,
        second=timezone.now().replace(microsecond=0) - timedelta(seconds=ago),
        calls=calls,
        failures=failures,
        outcomes={"ok": calls - failures, "crashed": failures},
        latencies={str(record(seconds)): calls},
        tenants={},
    )


def test_instances_are_listed_with_what_they_have_loaded(as_user, victor, loaded):
    make_instance("i-2", env="staging")
    found = as_user(victor).get("/api/v1/instances?environment=qa").json()
    assert found["count"] == 1
    shown = found["results"][0]
    assert (shown["name"], shown["state"]) == ("i-1", "live")
    assert [(each["plugin"], each["state"]) for each in shown["placements"]] == [("echo", "ready")]
    assert "internal" not in str(shown)


def test_a_tenants_people_see_only_what_they_use(as_user, alice, mallory, acme, globex, loaded):
    make_installation(acme, loaded.version.plugin)
    placements = [
        as_user(user).get("/api/v1/instances").json()["results"][0]["placements"]
        for user in (alice, mallory)
    ]
    assert [len(found) for found in placements] == [1, 0]


def _health(client, **query):
    parameters = {"environment": "qa"} | query
    return client.get("/api/v1/plugins/echo/health", parameters)


def test_a_plugin_that_is_loaded_and_answers_is_healthy(as_user, victor, loaded, v1):
    _count_calls(v1)
    found = _health(as_user(victor)).json()
    assert found["verdict"] == "healthy"
    version = found["versions"][0]
    assert (version["version"], version["role"]) == ("1.0.0", "stable")
    checks = {check["name"]: check["passed"] for check in version["instances"][0]["checks"]}
    assert checks == {"startup": True, "examples": True}


def test_a_version_that_no_instance_has_is_unknown(as_user, victor, v1_is_stable):
    assert _health(as_user(victor)).json()["verdict"] == "unknown"


def test_a_version_that_failed_everywhere_is_unhealthy(as_user, victor, loaded):
    loaded.state, loaded.detail = PlacementState.FAILED, "ImportError"
    loaded.save()
    found = _health(as_user(victor)).json()
    assert found["verdict"] == "unhealthy"
    assert found["versions"][0]["instances"][0]["checks"][0]["detail"] == "ImportError"


def test_a_version_that_failed_somewhere_is_degraded(as_user, victor, loaded, v1):
    make_placement(make_instance("i-2"), v1, state=PlacementState.FAILED)
    assert _health(as_user(victor)).json()["verdict"] == "degraded"


def test_wrong_answers_to_the_examples_count(as_user, victor, loaded):
    loaded.probe = {"ok": False, "failures": [{"method": "echo", "message": "wrong"}]}
    loaded.save()
    assert _health(as_user(victor)).json()["verdict"] == "unhealthy"


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({}, "healthy"),
        ({"error_rate": 0.1}, "degraded"),
        ({"error_rate": 0.5}, "healthy"),
        ({"p99_seconds": 0.5}, "degraded"),
        ({"p99_seconds": 5}, "healthy"),
    ],
)
def test_performance_is_judged_by_the_manifests_limits(as_user, victor, loaded, limits, verdict):
    version = loaded.version
    version.manifest = minimal_manifest("echo", "1.0.0", health=limits)
    version.save()
    _count_calls(version, failures=20, seconds=1)
    assert _health(as_user(victor)).json()["verdict"] == verdict


def test_metrics_count_the_window_by_version(as_user, victor, v1, v2):
    _count_calls(v1, calls=60, failures=6, seconds=0.01)
    _count_calls(v2, calls=40, seconds=0.1)
    _count_calls(v1, env="staging")
    _count_calls(v1, ago=120)
    query = {"environment": "qa", "window": 60}
    found = as_user(victor).get("/api/v1/plugins/echo/metrics", query).json()
    assert found["overall"]["calls"] == 100
    assert found["overall"]["error_rate"] == pytest.approx(0.06)
    assert found["overall"]["calls_per_second"] == pytest.approx(100 / 60)
    assert found["versions"]["2.0.0"]["p50_seconds"] == pytest.approx(0.1, rel=0.3)
    assert found["overall"]["outcomes"] == {"ok": 94, "crashed": 6}


def test_without_calls_there_are_no_latencies(as_user, victor, v1):
    query = {"environment": "qa"}
    overall = as_user(victor).get("/api/v1/plugins/echo/metrics", query).json()["overall"]
    assert (overall["calls"], overall["p99_seconds"]) == (0, None)


@pytest.mark.parametrize("kind", ["health", "metrics"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "environment"),
        ({"environment": "moon"}, "environment"),
        ({"environment": "qa", "window": "5"}, "window"),
        ({"environment": "qa", "window": "²"}, "window"),
    ],
)
def test_a_bad_question_is_refused_by_its_name(as_user, victor, v1, kind, query, field):
    answer = as_user(victor).get(f"/api/v1/plugins/echo/{kind}", query)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


@pytest.mark.parametrize("kind", ["health", "metrics"])
def test_a_plugin_that_a_tenant_does_not_use_is_nothing_to_it(
    as_user, alice, mallory, acme, globex, v1, kind
):
    make_installation(acme, v1.plugin)
    address = f"/api/v1/plugins/echo/{kind}?environment=qa"
    assert as_user(alice).get(address).status_code == 200
    assert as_user(mallory).get(address).status_code == 404


def _kill(client, verb="kill", **body):
    return client.post(f"/api/v1/plugins/echo/{verb}", {"reason": "leak"} | body)


def test_an_admin_kills_a_plugin_in_one_environment_and_lifts_it(as_user, ada, v1_is_stable):
    before = environment().generation
    answer = _kill(as_user(ada), environment="qa")
    assert answer.json() == [{"environment": "qa", "is_killed": True, "needed_by": []}]
    route = Route.objects.get()
    assert (route.is_killed, route.generation) == (True, before + 1)
    assert _kill(as_user(ada), "unkill", environment="qa").json()[0]["is_killed"] is False


def test_a_plugin_is_killed_everywhere_even_where_it_never_ran(as_user, ada, v1):
    found = _kill(as_user(ada)).json()
    assert [each["environment"] for each in found] == ["development", "qa", "staging", "production"]
    assert Route.objects.filter(is_killed=True).count() == 4


def test_killing_twice_is_told_once(as_user, ada, v1_is_stable):
    for _ in range(2):
        assert _kill(as_user(ada), environment="qa").status_code == 200
    event = AuditEvent.objects.get(action="plugin.killed")
    assert event.after == {"environment": "qa", "reason": "leak"}


@pytest.mark.parametrize("verb", ["kill", "unkill"])
def test_nobody_but_an_admin_kills(as_user, bob, carol, victor, alice, v1_is_stable, verb):
    for user in (bob, carol, victor, alice):
        assert _kill(as_user(user), verb).status_code == 403
    assert not Route.objects.get().is_killed


def test_a_kill_needs_a_reason_and_a_plugin(as_user, ada, v1):
    client = as_user(ada)
    assert client.post("/api/v1/plugins/echo/kill", {}).status_code == 400
    assert client.post("/api/v1/plugins/ghost/kill", {"reason": "r"}).status_code == 404
    assert not make_version(v1.plugin, "9.0.0").plugin.routes.exists()
