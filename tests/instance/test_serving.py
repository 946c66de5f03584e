"""One real instance answers calls by HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from observability.models import CallWindow
from tenants.services import disable_installation, set_config, set_quotas
from tests.instance.places import call
from tests.waiting import wait_until


@pytest.fixture
def served(place):
    place.version, (place.instance,) = place.serve()
    return place


def ask(served, method="echo", tenant="acme", **options):
    return call(served.instance, tenant, served.keys["acme"], method, **options)


def test_a_call_is_answered_with_the_version_and_the_generation_that_served_it(served):
    answer = ask(served, text="hi", headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 200
    assert answer.json() == {
        "outcome": "ok",
        "result": {"text": "hi", "version": "1.0.0", "calls": 1},
    }
    assert answer.headers["x-hotswap-version"] == "1.0.0"
    assert int(answer.headers["x-hotswap-generation"]) > 0
    assert answer.headers["x-request-id"] == "request-1"
    assert "x-hotswap-stale" not in answer.headers


WRONG = [
    ({"body": b"{"}, 400, "malformed_body", None),
    ({"body": [1]}, 400, "malformed_body", None),
    ({"body": {"method": "echo", "extra": 1}}, 400, "invalid", "extra"),
    ({"body": {"parameters": {}}}, 400, "invalid", "method"),
    ({"body": {"method": "echo", "parameters": []}}, 400, "invalid", "parameters"),
    ({"method": "sing"}, 400, "invalid", "method"),
    ({"text": 5}, 400, "invalid", "parameters.text"),
    ({"headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type", None),
    ({"body": b"[" + b" " * (4 << 20) + b"]"}, 413, "too_large", None),
    ({"tenant": "globex"}, 404, "not_found", None),
    ({"tenant": "nobody"}, 404, "not_found", None),
    ({"headers": {"Authorization": ""}}, 401, "invalid_credentials", None),
    ({"headers": {"Authorization": "Bearer hs_12345678_x"}}, 401, "invalid_credentials", None),
    ({"headers": {"Authorization": "Bearer a.b.c"}}, 401, "invalid_credentials", None),
    ({"method": "fail"}, 502, "plugin_error", None),
    ({"method": "lie"}, 502, "plugin_error", None),
    ({"method": "die"}, 502, "crashed", None),
]


def test_what_goes_wrong_has_one_shape(served, subtests):
    for options, status, code, field in WRONG:
        with subtests.test(options=str(options)[:80]):
            answer = ask(served, **options)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (status, code), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == error["message"]
            assert field is None or field in error["fields"]
    assert ask(served).status_code == 200


def test_a_call_that_times_out_costs_the_twenty_that_wait_nothing(served):
    with ThreadPoolExecutor(21) as clients:
        slow = clients.submit(ask, served, "nap", seconds=30)
        wait_until(lambda: _waiting(served) >= 1, what="the slow call runs")
        others = [clients.submit(ask, served, text=str(n)) for n in range(20)]
        outcomes = [other.result() for other in others]
        assert slow.result().json()["error"]["code"] == "timeout"
    assert slow.result().status_code == 504
    assert [answer.json()["outcome"] for answer in outcomes] == ["ok"] * 20


def _waiting(served):
    """Attached processes, as the instance counts them."""
    lines = served.instance.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) - 1 for line in lines if "processes " in line[:30])


def test_a_disabled_plugin_is_refused(served):
    disable_installation(installation=served.installations["acme"], by=served.ada)
    refused = wait_until(lambda: _unless_ok(ask(served)), what="the call is refused")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "plugin_disabled")


def test_the_kill_switch_stops_every_tenant(served):
    served.route(is_killed=True)
    refused = wait_until(lambda: _unless_ok(ask(served)), what="the call is refused")
    assert refused.json()["error"]["code"] == "plugin_disabled"


def test_a_plugin_without_a_version_is_not_ready(place):
    instance = place.start()
    answer = call(instance, "acme", place.keys["acme"])
    assert answer.status_code == 404 or answer.json()["error"]["code"] == "not_ready"


def test_over_the_quota_is_429_with_a_time_to_come_back(served):
    set_quotas(
        installation=served.installations["acme"],
        requests_per_minute=5,
        concurrency=5,
        by=served.ada,
    )

    def refused():
        answer = ask(served)
        return answer if answer.status_code == 429 else None

    answer = wait_until(refused, what="the sixth call of the minute is refused")
    assert answer.json()["error"]["code"] == "quota_exceeded"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["x-ratelimit-limit"] == "5"


def test_a_new_config_reaches_the_next_calls(served):
    ask(served, "reveal")
    set_config(installation=served.installations["acme"], config={"rate": 7}, by=served.ada)

    def rate():
        return ask(served, "reveal").json()["result"]["config"].get("rate") == 7

    wait_until(rate, what="the call sees the new config")


def test_calls_are_counted_by_the_second(served):
    for _ in range(3):
        ask(served)
    ask(served, "fail")

    def counted():
        rows = CallWindow.objects.filter(version_id=served.version.pk)
        return sum(row.calls for row in rows) == 4 and rows

    rows = wait_until(counted, what="all four calls are in windows")
    assert sum(row.failures for row in rows) == 1
    assert sum(sum(row.latencies.values()) for row in rows) == 4
    tenant = str(served.tenants["acme"].pk)
    assert sum(row.tenants[tenant][0] for row in rows) == 4


def test_headers_of_the_inner_door_are_ignored_outside(served):
    assert ask(served, headers={"X-HotSwap-Passed": "forged"}).status_code == 200
    inside = httpx.HTTPTransport(uds=str(served.instance.internal))
    with httpx.Client(transport=inside, base_url="http://instance") as client:
        refused = client.post(
            "/api/v1/tenants/acme/plugins/echo/invoke",
            content=json.dumps({"method": "echo", "parameters": {}}),
            headers={"X-HotSwap-Passed": "forged", "Content-Type": "application/json"},
        )
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "pass_refused")


def test_the_outer_door_has_no_inner_pages(served):
    for path in ("/metrics", "/probe", "/readyz"):
        assert httpx.get(f"{served.instance.url}{path}").status_code == 404
    probe = served.instance.get("/probe").json()["placements"]
    assert [(each["state"], each["liveness"], each["readiness"]) for each in probe] == [
        ("ready", "", "")
    ]


def _unless_ok(answer):
    return None if answer.status_code == 200 else answer
