"""Whatever goes wrong has one shape, and nothing of ours leaks through it."""

import json

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from hotswap.lib.api.problems import fields_of_drf
from hotswap.lib.errors import HotSwapError

pytestmark = pytest.mark.django_db


def assert_problem(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code), body
    assert answer["Content-Type"] == "application/problem+json"
    assert set(body) == {"error", "type", "title", "status", "detail"}
    assert (body["status"], body["detail"]) == (status, body["error"]["message"])
    assert body["error"]["trace_id"] == answer["X-Request-ID"]
    return body["error"]


@pytest.fixture
def bobs(as_user, bob):
    return as_user(bob)


def send(client, body, content_type="application/json"):
    return client.generic("POST", "/api/v1/plugins", body, content_type=content_type)


BODIES = {
    "a list": "[]",
    "a text": '"name"',
    "nothing but null": "null",
    "cut off": '{"name": "x"',
    "not UTF-8": b'{"name": "\xff"}',
    "a name twice": '{"name": "a", "name": "b"}',
    "not a number": '{"name": NaN}',
    "infinity": '{"name": 1e999}',
    "a huge integer": '{"name": %s}' % ("9" * 40),
    "an endless integer": '{"name": %s}' % ("9" * 5000),
    "a NUL": '{"name": "a\\u0000"}',
    "half a surrogate pair": '{"name": "\\ud800"}',
    "half a pair in a key": '{"\\ud800": 1}',
    "deeper than 64": '{"name": ' + "[" * 70 + "]" * 70 + "}",
    "deeper than the stack": "[" * 200_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_plain_json_object_is_refused(bobs, nothing_changes, body):
    with nothing_changes():
        assert_problem(send(bobs, body), 400, "malformed_body")


def test_a_long_body_is_refused_with_its_limit(bobs, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    error = assert_problem(send(bobs, json.dumps({"name": "x" * 200})), 413, "too_large")

    assert "100 bytes" in error["message"]


def test_unknown_addresses_methods_and_types_have_the_shape(bobs):
    assert_problem(bobs.get("/api/v1/nothing"), 404, "not_found")
    assert_problem(bobs.get("/api/nothing"), 404, "not_found")
    assert_problem(bobs.get("/api/v1/plugins/nothing"), 404, "not_found")
    assert_problem(bobs.delete("/api/v1/plugins"), 405, "method_not_allowed")
    assert_problem(send(bobs, "<x/>", "text/xml"), 415, "unsupported_media_type")
    assert_problem(bobs.get("/api/v1/plugins", HTTP_ACCEPT="text/csv"), 406, "not_acceptable")
    assert "Allow" in bobs.delete("/api/v1/plugins")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic Ym9iOmJvYg==", "Bearer a b"])
def test_what_is_no_credential_is_401(client, header, keys_dir):
    answer = client.get("/api/v1/plugins", HTTP_AUTHORIZATION=header)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="hotswap"'
    assert_problem(answer, 401, answer.json()["error"]["code"])


def test_an_unexpected_error_says_nothing_but_its_trace(bobs, monkeypatch):
    def fail(**_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("plugins.services.register_plugin", fail)
    bobs.raise_request_exception = False

    answer = bobs.post("/api/v1/plugins", {"name": "x"})

    assert_problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content


def test_an_error_before_the_view_has_the_shape_too(monkeypatch):
    def fail(*_):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("tenants.middleware.scope", fail)

    answer = APIClient(raise_request_exception=False).get("/api/v1/plugins")

    assert_problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content


@pytest.mark.parametrize("place", ["plugins.services.register_plugin", "tenants.middleware.scope"])
def test_a_database_that_is_gone_is_503(bobs, monkeypatch, place):
    def fail(*_, **__):
        raise OperationalError("no server at 10.0.0.7")

    monkeypatch.setattr(place, fail)
    bobs.raise_request_exception = False

    answer = bobs.post("/api/v1/plugins", {"name": "x"})

    assert_problem(answer, 503, "unavailable")
    assert b"10.0.0.7" not in answer.content


def test_a_domain_error_without_a_status_is_ours(bobs, monkeypatch):
    def fail(**_):
        raise HotSwapError("never mapped")

    monkeypatch.setattr("plugins.services.register_plugin", fail)
    bobs.raise_request_exception = False

    assert_problem(bobs.post("/api/v1/plugins", {"name": "x"}), 500, "internal_error")


def test_a_request_id_that_is_given_comes_back(bobs):
    answer = bobs.get("/api/v1/plugins/nothing", HTTP_X_REQUEST_ID="my-request-1")

    assert answer["X-Request-ID"] == answer.json()["error"]["trace_id"] == "my-request-1"


def test_a_page_that_is_not_found_is_no_json(client, plain_static):
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


def test_nested_details_become_dotted_fields():
    detail = {"a": {"b": ["wrong"], "non_field_errors": ["whole"]}, "c": [{"d": ["bad"]}, {}]}

    assert fields_of_drf(detail) == {"a.b": ["wrong"], "a": ["whole"], "c.0.d": ["bad"]}
    assert fields_of_drf(["alone"]) == {"body": ["alone"]}


def test_health_answers_without_credentials_or_database(client, keys_dir, artifacts):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/metrics").status_code == 200


def test_readiness_names_what_is_missing(
    client, keys_dir, artifacts, redis_url, tmp_path, settings
):
    assert client.get("/readyz").json()["status"] == "ready"

    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    settings.KEYS_DIR = tmp_path / "none"
    answer = client.get("/readyz")

    found = answer.json()["checks"]
    assert answer.status_code == 503
    assert (found["database"], found["keys"]) == ("ok", "UnavailableError")
    assert found["redis"] != "ok" and str(tmp_path) not in answer.content.decode()
