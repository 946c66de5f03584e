"""What plugins need of each other, over HTTP: refused at upload, drawn, judged."""

import pytest

from plugins.models import Plugin, PluginDependency
from tests.artifacts import plugin_zip
from tests.factories import make_plugin, make_version, minimal_manifest

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
