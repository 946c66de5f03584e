"""What a version changes that its users must know."""

import pytest

from plugins.compatibility import breaking_changes, find_unannounced, says_breaking


def manifest(**changes):
    method = {
        "input_schema": {"properties": {"a": {"type": "string"}}},
        "output_schema": {"type": "object", "properties": {"b": {"type": "integer"}}},
        "idempotent": True,
    }
    base = {"version": "1.0.0", "methods": {"m": method}, "secrets": {}}
    return {**base, "permissions": {"egress": []}, **changes}


def method(**changes):
    return manifest(methods={"m": {**manifest()["methods"]["m"], **changes}})


EGRESS = {"host": "api.example.com", "methods": ["GET", "POST"], "ports": [443]}
SECRET = {"mode": "header", "host": "api.example.com", "header": "Authorization"}
CHANGES = {
    "method m is gone": ("method_removed", "methods.m", manifest(methods={})),
    "input of m: a is now required": (
        "input_changed",
        "methods.m.input_schema.a",
        method(input_schema={"properties": {"a": {"type": "string"}}, "required": ["a"]}),
    ),
    "input of m: a is gone": (
        "input_changed",
        "methods.m.input_schema.a",
        method(input_schema={"properties": {}}),
    ),
    'input of m: a type is now "integer" (was "string")': (
        "input_changed",
        "methods.m.input_schema.a",
        method(input_schema={"properties": {"a": {"type": "integer"}}}),
    ),
    'output of m: b type is now "number" (was "integer")': (
        "output_changed",
        "methods.m.output_schema.b",
        method(output_schema={"type": "object", "properties": {"b": {"type": "number"}}}),
    ),
    'output of m: type is no longer "object"': (
        "output_changed",
        "methods.m.output_schema",
        method(output_schema={"properties": {"b": {"type": "integer"}}}),
    ),
    "method m is no longer idempotent": (
        "method_changed",
        "methods.m.idempotent",
        method(idempotent=False),
    ),
    "config: rate is now required": (
        "config_required",
        "config.schema.rate",
        manifest(config={"schema": {"required": ["rate"]}}),
    ),
    "secret token is new": ("secret_added", "secrets.token", manifest(secrets={"token": SECRET})),
    "asks for native code": (
        "permission_added",
        "permissions.native",
        manifest(permissions={"native": True}),
    ),
    "asks for egress to api.example.com (GET on port 443, POST on port 443)": (
        "permission_added",
        "permissions.egress",
        manifest(permissions={"egress": [EGRESS]}),
    ),
    "tenants now share a process": (
        "permission_added",
        "isolation.scope",
        manifest(isolation={"scope": "version"}),
    ),
    "2.0.0 is a new major version after 1.0.0": (
        "major_version",
        "version",
        manifest(version="2.0.0"),
    ),
}


@pytest.mark.parametrize("said", CHANGES)
def test_what_breaks_is_said_with_its_place(said):
    kind, path, after = CHANGES[said]

    (change,) = breaking_changes(manifest(), after)

    assert (change.kind, change.path, str(change)) == (kind, path, said)


def test_what_only_adds_breaks_nothing():
    wider = {"properties": {"a": {"type": ["string", "null"]}, "b": {}}}
    after = method(input_schema=wider, output_schema={"type": "object", "required": ["b"]})
    after["methods"]["m"]["output_schema"]["properties"] = {"b": {"type": "integer"}, "c": {}}
    after["methods"]["n"] = {}

    assert breaking_changes(manifest(), after) == []
    assert breaking_changes(manifest(config={"schema": True}), manifest(config={})) != []
    assert breaking_changes(manifest(), manifest(config={"schema": True})) == []


def test_only_what_egress_reaches_beyond_before_is_new():
    before = manifest(permissions={"egress": [EGRESS]})
    narrower = manifest(permissions={"egress": [{**EGRESS, "methods": ["GET"]}]})
    wider = manifest(permissions={"egress": [{**EGRESS, "methods": ["GET", "POST", "PUT"]}]})

    assert breaking_changes(before, narrower) == []
    (change,) = breaking_changes(before, wider)
    assert change.message == "asks for egress to api.example.com (PUT on port 443)"


@pytest.mark.parametrize(
    "changed",
    [{"mode": "value"}, {**SECRET, "host": "evil.example"}, {**SECRET, "header": "X-Debug"}],
)
def test_a_secret_that_goes_elsewhere_is_said(changed):
    before, after = manifest(secrets={"token": SECRET}), manifest(secrets={"token": changed})

    assert [each.kind for each in breaking_changes(before, after)] == ["secret_exposed"]


NUMBERS = [
    ("1.4.0", "2.0.0", True),
    ("1.4.0", "1.5.0", False),
    ("1.4.0", "1.4.1", False),
    ("0.4.0", "0.5.0", True),
    ("0.4.0", "0.4.1", False),
    ("0.9.0", "1.0.0", True),
]


@pytest.mark.parametrize(("before", "after", "says"), NUMBERS)
def test_a_number_says_whether_it_breaks(before, after, says):
    broken = {**manifest(methods={}), "version": after}

    assert says_breaking(before, after) is says
    assert (find_unannounced(manifest(version=before), broken) == "") is says


def test_a_small_step_that_breaks_is_told():
    after = manifest(methods={}, version="1.0.1")

    assert find_unannounced(manifest(), manifest(version="1.0.1")) == ""
    assert find_unannounced(manifest(), after) == (
        "It breaks what 1.0.0 promised (method m is gone), but 1.0.1 is not a new major version."
    )
