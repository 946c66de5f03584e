"""``hotswap.toml``: what is accepted, and that every problem is named at its key."""

import pytest

from plugins.manifest import (
    ManifestError,
    compatibility_problems,
    load_manifest,
    parse_manifest,
)
from tests.artifacts import dump_toml, manifest_data, manifest_text
from tests.plugins.manifests import FULL


def problems_of(**changes):
    with pytest.raises(ManifestError) as caught:
        parse_manifest(manifest_text(**changes))
    return caught.value.fields


def method(**changes):
    return {"methods": {"echo": {"input_schema": {"type": "object"}, **changes}}}


def test_the_smallest_manifest_gets_the_documented_defaults():
    manifest = parse_manifest(manifest_text())
    assert (manifest.resources.memory_mb, manifest.resources.wall_seconds) == (256, 10)
    assert manifest.methods["echo"].timeout_seconds == 10
    assert manifest.isolation.scope == "tenant"
    assert manifest.config.schema == {"type": "object", "additionalProperties": False}
    assert not manifest.permissions.native


def test_every_key_is_read():
    manifest = parse_manifest(manifest_text(**FULL))
    assert manifest.secrets["api_key"].header == "Authorization"
    assert manifest.permissions.egress[0].ports == (443, 8443)
    assert manifest.methods["echo"].examples[0].result == {"text": "a"}
    assert str(manifest.dependencies.plugin_constraints()["currency"]) == "<2,>=1.5"
    assert manifest.health.p99_seconds == 0.5


def test_the_dictionary_of_a_manifest_reads_as_the_same_manifest():
    manifest = parse_manifest(manifest_text(**FULL))
    assert load_manifest(manifest.as_dict()) == manifest
    assert parse_manifest(dump_toml(manifest.as_dict())) == manifest


def test_the_digest_depends_on_meaning_and_not_on_order():
    data = manifest_data()
    turned = dict(reversed(data.items()))
    assert load_manifest(data).digest() == load_manifest(turned).digest()
    assert load_manifest(data).digest() != load_manifest({**data, "summary": "Other"}).digest()


def test_all_problems_come_at_once():
    fields = problems_of(name="Bad Name", version="1", summary=None, resources={"memory_mb": 1})
    assert set(fields) == {"name", "version", "summary", "resources.memory_mb"}


def test_an_unknown_key_names_the_nearest_known_one():
    assert (
        "did you mean 'memory_mb'?"
        in problems_of(resources={"memory_mbs": 64})["resources.memory_mbs"][0]
    )
    assert problems_of(banana=1)["banana"]


def test_another_schema_version_is_refused():
    assert problems_of(schema_version=2) == {"schema_version": ["must be 1"]}


@pytest.mark.parametrize(
    "name",
    [
        "Echo",
        "echo_bar",
        "echo--bar",
        "-echo",
        "echo-",
        "1echo",
        "\u0435cho",
        "echo bar",
        "e" * 64,
        "",
    ],
)
def test_a_plugin_name_is_plain_ascii_with_single_hyphens(name):
    assert "name" in problems_of(name=name)


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("1", "1.0.0"),
        ("1.0", "1.0.0"),
        ("v1.0.0", "1.0.0"),
        ("1.0.0-rc.1", "1.0.0rc1"),
        ("1.0.0.0", "X.Y.Z"),
        ("1.0.0+local", "X.Y.Z"),
        ("1.0.0.post1", "X.Y.Z"),
        ("01.0.0", "1.0.0"),
        ("latest", "X.Y.Z"),
        ("1.0.\u0661", "X.Y.Z"),
    ],
)
def test_a_version_that_is_not_x_y_z_gets_the_spelling_to_use(version, hint):
    assert hint in problems_of(version=version)["version"][0]


@pytest.mark.parametrize("version", ["0.0.1", "10.20.30", "1.0.0a1", "1.0.0rc2"])
def test_a_version_may_be_a_pre_release(version):
    assert parse_manifest(manifest_text(version=version)).version == version


@pytest.mark.parametrize(
    "entry_point",
    [
        "echo",
        "echo:",
        ":Echo",
        "echo:Echo.run",
        "echo.py:Echo!",
        "os:system",
        "class:Echo",
        "hotswap_plugin:Plugin",
        "hotswap.lib:x",
        "../echo:Echo",
        "json.decoder:x",
        "echo:def",
    ],
)
def test_an_entry_point_is_an_object_of_a_module_of_the_plugin(entry_point):
    assert "entry_point" in problems_of(entry_point=entry_point)


@pytest.mark.parametrize(
    "requirement",
    [
        "babel @ https://evil.example/babel.whl",
        "file:///tmp/x",
        "git+https://evil.example/x",
        "--index-url https://evil.example",
        "-e .",
        "babel[extra]",
        "babel; python_version>'3'",
        "babel>=two",
        "",
        "b" * 300,
    ],
)
def test_a_python_dependency_is_a_name_and_a_constraint(requirement):
    fields = problems_of(dependencies={"python": [requirement]})
    assert "dependencies.python.0" in fields


def test_a_dependency_is_named_once_however_it_is_spelled():
    fields = problems_of(dependencies={"python": ["foo-bar>=1", "Foo_Bar<3"]})
    assert "a second time" in fields["dependencies.python.1"][0]


def test_a_plugin_does_not_depend_on_itself_or_on_a_name_that_cannot_be():
    assert problems_of(dependencies={"plugins": ["echo>=1"]})["dependencies.plugins"]
    assert problems_of(dependencies={"plugins": ["Currency"]})["dependencies.plugins.0"]


@pytest.mark.parametrize("key", ["requires_python", "requires_hotswap"])
def test_a_required_version_is_a_constraint(key):
    assert key in problems_of(**{key: "three"})


def test_a_manifest_says_where_it_cannot_run():
    manifest = parse_manifest(manifest_text(requires_python=">=3.13", requires_hotswap="<1"))
    found = compatibility_problems(manifest, python="3.11.4", hotswap="0.1.0")
    assert list(found) == ["requires_python"]


def test_a_manifest_needs_a_method():
    assert "at least one" in problems_of(methods=None)["methods"][0]


@pytest.mark.parametrize(
    "name", ["startup", "drain", "class", "Echo", "_private", "a-b", "__init__"]
)
def test_a_method_name_is_free_of_hooks_and_keywords(name):
    assert f"methods.{name}" in problems_of(methods={name: {}})


def test_a_method_cannot_outlive_its_process():
    fields = problems_of(**method(timeout_seconds=20))
    assert "resources.wall_seconds" in fields["methods.echo.timeout_seconds"][0]


@pytest.mark.parametrize(
    ("example", "place"),
    [
        ({"parameters": {"text": 1}}, "parameters.text"),
        ({"parameters": {}, "result": 5}, "result"),
        ({"parameters": {}, "expect": {"type": "nope"}}, "expect.type"),
        ({"parameters": {}, "expect": {}, "result": {}}, "expect"),
        ({"parameters": {}, "config": {"unknown": 1}}, "config"),
        ({"parameters": {}, "secrets": {"unknown": "x"}}, "secrets.unknown"),
        ({"parameters": {}, "resultt": {}}, "resultt"),
        ({"parameters": []}, "parameters"),
    ],
)
def test_an_example_that_could_not_pass_is_refused(example, place):
    shape = {"type": "object", "properties": {"text": {"type": "string"}}}
    changes = method(input_schema=shape, output_schema={"type": "object"}, examples=[example])
    assert f"methods.echo.examples.0.{place}" in problems_of(**changes)


def test_a_schema_that_is_refused_is_named_by_its_place():
    fields = problems_of(**method(input_schema={"$ref": "https://evil.example/schema"}))
    assert "methods.echo.input_schema.$ref" in fields
    assert "config.schema.type" in problems_of(config={"schema": {"type": "tabel"}})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "0x7f.1",
        "127.1",
        "[::1]",
        "*.com*",
        "*",
        "api.example.com.",
        "https://api.example.com",
        "api.example.com:443",
        "Api.Example.com",
        "\u0430pi.example.com",
    ],
)
def test_an_egress_host_is_a_full_name(host):
    fields = problems_of(permissions={"egress": [{"host": host}]})
    assert "permissions.egress.0.host" in fields


@pytest.mark.parametrize(
    "rule", [{"methods": ["CONNECT"]}, {"ports": [0]}, {"ports": []}, {"ports": ["443"]}]
)
def test_an_egress_rule_names_plain_methods_and_ports(rule):
    (place,) = problems_of(permissions={"egress": [{"host": "api.example.com", **rule}]})
    assert place.startswith("permissions.egress.0.")


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        ({}, "host"),
        ({"host": "api.example.com"}, "header"),
        ({"host": "api.example.com", "header": "X-Key"}, "host"),
        ({"mode": "value", "host": "api.example.com"}, "host"),
        ({"mode": "file"}, "mode"),
        ({"host": "api.example.com", "header": "Host"}, "header"),
        ({"host": "api.example.com", "header": "X: y"}, "header"),
    ],
)
def test_a_secret_goes_into_one_header_of_one_permitted_host_or_to_the_process(secret, place):
    assert f"secrets.key.{place}" in problems_of(secrets={"key": secret})


def test_tenants_that_share_a_process_cannot_have_secrets_in_it():
    fields = problems_of(secrets={"key": {"mode": "value"}}, isolation={"scope": "version"})
    assert "secrets.key.mode" in fields


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("resources", {"memory_mb": 1}),
        ("resources", {"memory_mb": True}),
        ("resources", {"memory_mb": 64.5}),
        ("resources", {"wall_seconds": 1e9}),
        ("resources", {"pids": "many"}),
        ("health", {"error_rate": 2}),
        ("health", {"startup_seconds": 0}),
        ("isolation", {"scope": "galaxy"}),
        ("permissions", {"native": "yes"}),
        ("metrics", {"calls": {"type": "pie"}}),
        ("metrics", {"calls": {}}),
        ("config", {"schema": "x"}),
        ("config", "x"),
        ("dependencies", {"python": "babel"}),
        ("dependencies", {"python": [1]}),
        ("permissions", {"egress": "everything"}),
    ],
)
def test_a_value_of_the_wrong_kind_or_size_is_refused(section, value):
    (place,) = problems_of(**{section: value})
    assert place.startswith(section)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
def test_a_number_that_is_not_finite_is_refused(number):
    with pytest.raises(ManifestError):
        parse_manifest(manifest_text() + f"[resources]\nwall_seconds = {number}\n")


def test_processes_and_threads_exclude_each_other():
    assert "resources.threads" in problems_of(resources={"processes": 2, "threads": 2})


def test_there_are_at_most_20_metrics():
    metrics = {f"m{number}": {"type": "gauge"} for number in range(21)}
    assert "at most 20" in problems_of(metrics=metrics)["metrics"][0]


@pytest.mark.parametrize("value", ["2025-01-01", "12:00:00", "nan", str(2**64)])
def test_an_example_holds_only_what_json_can(value):
    example = f"[methods.echo]\nexamples = [{{parameters = {{x = {value}}}}}]"
    with pytest.raises(ManifestError) as caught:
        parse_manifest(manifest_text(methods=None) + example)
    assert "methods.echo.examples.0.parameters.x" in caught.value.fields
