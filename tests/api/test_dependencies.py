"""What plugins need of each other, over HTTP: refused at upload, drawn, judged."""

from importlib import import_module

import pytest
from django.apps import apps

from plugins.models import Plugin, PluginDependency
from tests.artifacts import plugin_zip
from tests.factories import (
    make_installation,
    make_plugin,
    make_route,
    make_version,
    minimal_manifest,
)

pytestmark = pytest.mark.django_db


def needing(plugin, version, *needs, **options):
    text = {"dependencies": {"plugins": list(needs), "python": []}}
    manifest = minimal_manifest(plugin.name, version, **text)
    return make_version(plugin, version, manifest=manifest, **options)


@pytest.fixture
def currency(bob):
    return make_plugin("currency", owner=bob)


@pytest.fixture
def send(upload):
    def send_needing(*needs, plugin="echo", version="1.0.0"):
        content = plugin_zip(name=plugin, version=version, dependencies={"plugins": list(needs)})
        return upload(content, plugin=plugin)

    return send_needing


def test_each_need_becomes_a_row(echo, currency, send):
    make_version(currency, "1.6.0")
    make_version(make_plugin("tax"), "2.0.0")

    assert send("currency>=1.5,<2", "tax").status_code == 201

    rows = PluginDependency.objects.values_list("name", "specifier").order_by("name")
    assert list(rows) == [("currency", "<2,>=1.5"), ("tax", "")]


@pytest.mark.parametrize("status", ["revoked", "rejected"])
def test_a_need_that_no_version_satisfies_is_refused(echo, currency, send, nothing_changes, status):
    make_version(currency, "1.4.0")
    make_version(currency, "1.6.0", status=status)
    make_version(currency, "1.7.0rc1")

    with nothing_changes():
        answer = send("currency>=1.5,<2")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "dependency_unsatisfiable")
    assert error["fields"] == {
        "dependencies.plugins": ["no version of currency satisfies <2,>=1.5"]
    }


def test_a_prerelease_satisfies_who_names_one(echo, currency, send):
    make_version(currency, "1.7.0rc1")

    assert send("currency>=1.7.0rc1").status_code == 201


def test_a_cycle_is_refused_by_name(echo, currency, send, nothing_changes):
    needing(currency, "1.0.0", "tax")
    needing(make_plugin("tax"), "1.0.0", "echo")

    with nothing_changes():
        answer = send("currency")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "dependency_cycle")
    assert "echo → currency → tax → echo" in error["message"]


def test_a_plugin_that_others_need_is_not_removed(echo, currency, as_user, ada, artifacts):
    version = needing(echo, "1.0.0", "currency")

    answer = as_user(ada).delete("/api/v1/plugins/currency")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "plugin_needed")
    assert "needed by echo 1.0.0" in answer.json()["error"]["message"]
    version.status = "revoked"
    version.save(update_fields=["status"])
    assert as_user(ada).delete("/api/v1/plugins/currency").status_code == 204
    assert not Plugin.objects.filter(name="currency").exists()


def test_the_graph_names_versions_needs_and_conflicts(echo, currency, as_user, victor):
    make_version(currency, "1.0.0")
    make_version(currency, "2.0.0")
    needing(make_plugin("tax"), "1.0.0", "currency<2")
    needing(echo, "1.0.0", "currency>=2", "tax", "gone")

    body = as_user(victor).get("/api/v1/plugins/echo/versions/1.0.0/dependencies").json()

    assert [(node["name"], node["version"]) for node in body["nodes"]] == [
        ("echo", "1.0.0"),
        ("currency", "2.0.0"),
        ("gone", None),
        ("tax", "1.0.0"),
    ]
    wrong = {"source": "tax", "target": "currency", "specifier": "<2", "is_satisfied": False}
    assert wrong in body["edges"]
    assert [(each["name"], each["requirers"]) for each in body["conflicts"]] == [
        ("currency", ["echo 1.0.0", "tax 1.0.0"]),
        ("gone", ["echo 1.0.0"]),
    ]
    shown = as_user(victor).get("/api/v1/plugins/currency/versions/2.0.0/dependencies").json()
    assert [each["plugin"] for each in shown["needed_by"]] == ["echo", "tax"]


def test_the_graph_needs_few_queries(echo, as_user, victor, django_assert_max_num_queries):
    last = "zero"
    make_version(make_plugin(last), "1.0.0")
    for number in range(10):
        plugin = make_plugin(f"chain-{number}")
        for version in ("1.0.0", "2.0.0"):
            needing(plugin, version, last)
        last = plugin.name
    needing(echo, "1.0.0", last)
    client = as_user(victor)

    with django_assert_max_num_queries(16):
        body = client.get("/api/v1/plugins/echo/versions/1.0.0/dependencies").json()
    assert len(body["nodes"]) == 12


def test_what_stands_in_the_way_in_an_environment_is_told_before_anybody_deploys(
    echo, currency, as_user, victor, mallory, globex
):
    old = make_version(currency, "1.0.0")
    make_route(currency, stable=make_version(currency, "2.0.0"))
    needing(echo, "1.0.0", "currency>=2")
    make_installation(globex, echo)
    make_installation(globex, currency, pinned_version=old, pin_reason="x")
    address = "/api/v1/plugins/echo/versions/1.0.0/validate"

    body = as_user(victor).post(address, {"environment": "qa"}).json()

    assert (body["environment"], body["is_valid"], body["broken"]) == ("qa", False, [])
    (unmet,) = body["unmet"]
    assert (unmet["needs"], unmet["tenants"]) == ("currency>=2", ["globex"])
    assert body["graph"]["nodes"][1]["version"] == "2.0.0"
    seen = as_user(mallory).post(address, {"environment": "qa"}).json()
    assert seen["unmet"][0]["tenants"] == []
    answer = as_user(victor).post(address, {"environment": "moon"})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["environment"])


def test_whoever_kills_a_plugin_is_told_who_needs_it(echo, currency, as_user, ada):
    make_route(currency, stable=make_version(currency, "1.0.0"))
    make_route(echo, stable=needing(echo, "1.0.0", "currency"))

    body = as_user(ada).post(
        "/api/v1/plugins/currency/kill", {"environment": "qa", "reason": "leaks"}
    )

    assert body.json() == [{"environment": "qa", "is_killed": True, "needed_by": ["echo 1.0.0"]}]


def test_everybody_signed_in_reads_graphs_and_reports(
    echo, as_user, bob, carol, ada, victor, mallory, globex
):
    make_version(echo)
    base = "/api/v1/plugins/echo/versions/1.0.0"

    for person in (mallory, victor, bob, carol, ada):
        assert as_user(person).get(f"{base}/dependencies").status_code == 200
        answer = as_user(person).post(f"{base}/validate", {"environment": "qa"})
        assert (answer.status_code, answer.json()["is_valid"]) == (200, True)
    assert as_user().get(f"{base}/dependencies").status_code == 401
    assert as_user().post(f"{base}/validate", {"environment": "qa"}).status_code == 401
    assert as_user(bob).get(base.replace("1.0.0", "9") + "/dependencies").status_code == 404


def test_versions_from_before_get_their_rows(echo):
    """The data migration on rows whose needs are in the manifest alone."""
    version = needing(echo, "1.0.0", "currency>=1.5,<2", "tax")
    version.plugin_dependencies.all().delete()
    migration = import_module("plugins.migrations.0004_registry_complete")

    migration.write_dependencies(apps, None)

    rows = version.plugin_dependencies.order_by("name").values_list("name", "specifier")
    assert list(rows) == [("currency", "<2,>=1.5"), ("tax", "")]
