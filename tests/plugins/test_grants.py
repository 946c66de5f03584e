from plugins.grants import GrantChange, grant_changes, grants_of
from plugins.manifest import parse_manifest
from tests.artifacts import manifest_text


def manifest(**changes):
    return parse_manifest(manifest_text(**changes)).as_dict()


def of_group(group, **changes):
    return {g.name: g.detail for g in grants_of(manifest(**changes)) if g.group == group}


def test_nothing_asked_for_leaves_the_limits_alone():
    assert {grant.group for grant in grants_of(manifest())} == {"Resources"}
    assert of_group("Resources")["Memory"] == "256 MB"
    assert of_group("Resources")["Isolation"] == "a process for each tenant"


def test_a_host_says_how_it_may_be_asked():
    egress = [{"host": "api.example.com", "methods": ["GET", "POST"], "ports": [443, 8443]}]
    assert of_group("Network", permissions={"egress": egress}) == {
        "api.example.com": "GET, POST on port 443, 8443"
    }


def test_a_host_in_two_rules_is_one_line():
    egress = [
        {"host": "api.example.com", "methods": ["POST"], "ports": [8443]},
        {"host": "api.example.com"},
    ]
    assert of_group("Network", permissions={"egress": egress}) == {
        "api.example.com": "GET on port 443; POST on port 8443"
    }


def test_a_secret_says_whether_the_code_sees_it():
    secrets = {
        "token": {"mode": "header", "host": "api.example.com", "header": "Authorization"},
        "key": {"mode": "value"},
    }
    egress = [{"host": "api.example.com"}]
    found = of_group("Secrets", secrets=secrets, permissions={"egress": egress})
    assert found["key"] == "the plugin's code reads the value"
    assert (
        found["token"] == "sent in header Authorization to api.example.com; the code never sees it"
    )


def test_the_same_manifest_changes_nothing():
    assert grant_changes(manifest(), manifest(version="1.1.0")) == []


def test_what_is_new_gone_and_otherwise():
    before = manifest(
        permissions={"egress": [{"host": "old.example.com"}, {"host": "api.example.com"}]}
    )
    after = manifest(
        permissions={
            "native": True,
            "egress": [{"host": "api.example.com", "methods": ["GET", "POST"]}],
        },
        resources={"memory_mb": 512},
    )
    changes = grant_changes(before, after)
    assert [(each.kind, each.name) for each in changes] == [
        ("changed", "api.example.com"),
        ("removed", "old.example.com"),
        ("added", "Compiled extensions"),
        ("changed", "Memory"),
    ]
    assert changes[-1] == GrantChange("Resources", "Memory", "256 MB", "512 MB")


def test_defaults_written_out_are_no_change():
    assert grant_changes(manifest(), manifest(resources={"memory_mb": 256, "pids": 32})) == []
