"""What a version changes that its users must know."""

import pytest

from plugins.compatibility import breaking_changes


def manifest(**changes):
    method = {"input_schema": {"properties": {"a": {"type": "string"}}}, "idempotent": True}
    return {"methods": {"m": method}, "secrets": {}, "permissions": {"egress": []}, **changes}


def method(**changes):
    return manifest(methods={"m": {**manifest()["methods"]["m"], **changes}})


EGRESS = {"host": "api.example.com", "methods": ["GET"], "ports": [443]}
CHANGES = {
    "method m is gone": manifest(methods={}),
    "input of m now requires a": method(
        input_schema={"properties": {"a": {"type": "string"}}, "required": ["a"]}
    ),
    "input of m no longer knows a": method(input_schema={"properties": {}}),
    "input of m has another type of a": method(
        input_schema={"properties": {"a": {"type": "integer"}}}
    ),
    "method m is no longer idempotent": method(idempotent=False),
    "config now requires rate": manifest(config={"schema": {"required": ["rate"]}}),
    "secret token is new": manifest(secrets={"token": {}}),
    "asks for native code": manifest(permissions={"native": True}),
    "asks for egress to api.example.com": manifest(permissions={"egress": [EGRESS]}),
}


@pytest.mark.parametrize(("said", "after"), CHANGES.items(), ids=CHANGES)
def test_what_breaks_is_said(said, after):
    assert breaking_changes(manifest(), after) == [said]


def test_what_only_adds_breaks_nothing():
    wider = {"properties": {"a": {"type": "string"}, "b": {}}}
    after = method(input_schema=wider)
    after["methods"]["n"] = {}

    assert breaking_changes(manifest(), after) == []
    assert breaking_changes(manifest(config={"schema": True}), manifest()) == []
