"""A tenant's plugins over HTTP: enabled, configured, pinned, with secrets and quotas."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from deployments.models import Admission, Hold, Status
from observability.models import CallWindow
from tenants.models import TenantPluginConfig
from tenants.secrets import reveal_secrets
from tests.factories import (
    environment,
    make_deployment,
    make_installation,
    make_plugin,
    make_route,
    make_version,
    minimal_manifest,
)

ACME = "/api/v1/tenants/acme/plugins"
SCHEMA = {
    "type": "object",
    "properties": {"currency": {"enum": ["EUR", "USD"]}, "note": {"type": "object"}},
    "required": ["currency"],
    "additionalProperties": False,
}


@pytest.fixture
def tax(bob, keys_dir):
    """A plugin whose stable version in qa requires a currency and declares a secret."""
    plugin = make_plugin("tax", owner=bob)
    changes = {"config": {"schema": SCHEMA}, "secrets": {"token": {"mode": "value"}}}
    version = make_version(plugin, manifest=minimal_manifest("tax", "1.0.0", **changes))
    make_route(plugin, stable=version)
    return plugin


@pytest.fixture
def stable(tax):
    return tax.versions.get(version="1.0.0")


@pytest.fixture
def installed(acme, tax):
    return make_installation(acme, tax, config={"currency": "EUR"})


@pytest.fixture
def owner(as_user, alice, acme):
    """alice's client."""
    return as_user(alice)


def _error(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_an_owner_enables_a_plugin_with_its_config(owner, tax):
    answer = owner.post(f"{ACME}/tax/enable", {"config": {"currency": "EUR"}})
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["environment"], found["version"], found["why"]) == ("qa", "1.0.0", "stable")
    assert answer["ETag"] == '"1"'


def test_a_plugin_is_not_enabled_without_the_config_that_it_requires(owner, tax):
    answer = owner.post(f"{ACME}/tax/enable")
    assert _error(answer) == (400, "config_invalid")
    assert "currency" in answer.json()["error"]["fields"]["config"][0]
    assert not TenantPluginConfig.objects.exists()


def test_a_plugin_can_be_enabled_before_anything_is_deployed(owner, tax):
    answer = owner.post(f"{ACME}/tax/enable?environment=staging")
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["why"]) == (None, "undeployed")


def test_a_plugin_that_nobody_registered_is_not_enabled(owner):
    assert owner.post(f"{ACME}/ghost/enable").status_code == 404


def test_a_disabled_plugin_is_not_enabled(owner, tax):
    tax.is_active = False
    tax.save()
    answer = owner.post(f"{ACME}/tax/enable", {"config": {"currency": "EUR"}})
    assert _error(answer) == (409, "plugin_disabled")


def test_a_killed_plugin_is_not_enabled(owner, tax):
    tax.routes.update(is_killed=True)
    answer = owner.post(f"{ACME}/tax/enable", {"config": {"currency": "EUR"}})
    assert _error(answer) == (409, "plugin_killed")


def test_an_unknown_environment_is_refused_naming_the_known(owner, tax):
    answer = owner.post(f"{ACME}/tax/enable?environment=moon")
    assert answer.status_code == 400
    assert "staging" in answer.json()["error"]["fields"]["environment"][0]


def test_disabling_keeps_the_config(owner, installed):
    found = owner.post(f"{ACME}/tax/disable").json()
    assert (found["is_enabled"], found["why"]) == (False, "disabled")
    assert owner.post(f"{ACME}/tax/enable").json()["config"] == {"currency": "EUR"}


def test_each_environment_has_an_installation_of_its_own(owner, installed, acme, tax):
    make_installation(acme, tax, env="staging", config={"currency": "USD"})
    owner.put(f"{ACME}/tax/config?environment=staging", {"config": {"currency": "EUR"}})
    owner.post(f"{ACME}/tax/disable?environment=staging")
    assert owner.get(f"{ACME}/tax").json()["is_enabled"] is True
    assert owner.get(f"{ACME}/tax?environment=staging").json()["is_enabled"] is False


def test_a_config_must_fit_the_schema_of_the_version_that_serves(owner, installed):
    answer = owner.put(f"{ACME}/tax/config", {"config": {"currency": "DEM"}})
    assert _error(answer) == (400, "config_invalid")
    assert "config.currency" in answer.json()["error"]["fields"]
    installed.refresh_from_db()
    assert installed.config == {"currency": "EUR"}


def test_a_config_is_merged_as_rfc_7396_says(owner, installed):
    owner.put(f"{ACME}/tax/config", {"config": {"currency": "EUR", "note": {"a": 1, "b": 2}}})
    answer = owner.patch(f"{ACME}/tax/config", {"config": {"note": {"a": None, "c": 3}}})
    assert answer.json()["config"] == {"currency": "EUR", "note": {"b": 2, "c": 3}}


def test_whoever_saw_an_older_config_comes_too_late(owner, installed):
    first = owner.get(f"{ACME}/tax")["ETag"]
    body = {"config": {"currency": "USD"}}
    changed = owner.put(f"{ACME}/tax/config", body, headers={"If-Match": first})
    assert changed.status_code == 200
    assert changed["ETag"] != first
    stale = owner.put(f"{ACME}/tax/config", body, headers={"If-Match": first})
    assert _error(stale) == (412, "stale")


def test_a_pin_keeps_the_version_and_its_reason(owner, installed, stable):
    until = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"version": "1.0.0", "reason": "audit", "expires_at": until}
    found = owner.put(f"{ACME}/tax/pin", body).json()
    assert (found["pin"]["version"], found["why"], found["detail"]) == ("1.0.0", "pin", "audit")
    assert owner.delete(f"{ACME}/tax/pin").status_code == 204
    assert owner.get(f"{ACME}/tax").json()["pin"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": "1.0.0"}, 400, "invalid"),
        ({"version": "9.9.9", "reason": "r"}, 400, "invalid"),
        ({"version": "2.0.0", "reason": "r"}, 409, "version_not_proven"),
        ({"version": "1.0.0", "reason": "r", "expires_at": "2001-01-01T00:00:00Z"}, 400, "invalid"),
    ],
)
def test_a_bad_pin_is_refused(owner, installed, tax, body, status, code):
    make_version(tax, "2.0.0")
    assert _error(owner.put(f"{ACME}/tax/pin", body)) == (status, code)
    installed.refresh_from_db()
    assert installed.pinned_version is None


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.IN_PROGRESS])
def test_what_was_stable_or_is_being_deployed_can_be_pinned(owner, installed, tax, status):
    make_deployment(make_version(tax, "2.0.0"), status=status)
    answer = owner.put(f"{ACME}/tax/pin", {"version": "2.0.0", "reason": "early"})
    assert answer.status_code == 200, answer.json()


def test_what_was_proven_elsewhere_only_is_not_pinned(owner, installed, tax):
    make_deployment(make_version(tax, "2.0.0"), env="staging", status=Status.COMPLETED)
    answer = owner.put(f"{ACME}/tax/pin", {"version": "2.0.0", "reason": "early"})
    assert _error(answer) == (409, "version_not_proven")


def test_a_secret_is_written_and_only_its_name_is_read(owner, installed):
    written = owner.put(f"{ACME}/tax/secrets/token", {"value": "s3cret"})
    assert set(written.json()) == {"name", "updated_at"}
    assert reveal_secrets(installed) == {"token": "s3cret"}
    listed = owner.get(f"{ACME}/tax/secrets")
    assert [each["name"] for each in listed.json()["results"]] == ["token"]
    assert "s3cret" not in listed.content.decode() + owner.get(f"{ACME}/tax").content.decode()
    assert owner.delete(f"{ACME}/tax/secrets/token").status_code == 204
    assert owner.delete(f"{ACME}/tax/secrets/token").status_code == 404


def test_white_space_of_a_secret_is_kept(owner, installed):
    owner.put(f"{ACME}/tax/secrets/token", {"value": " a\n"})
    assert reveal_secrets(installed) == {"token": " a\n"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("undeclared", {"value": "v"}),
        ("Token", {"value": "v"}),
        ("token", {}),
        ("token", {"value": ""}),
        ("token", {"value": 5.5, "x": 1}),
        ("token", {"value": "x" * 20_000}),
    ],
)
def test_a_bad_secret_is_refused(owner, installed, name, body):
    assert owner.put(f"{ACME}/tax/secrets/{name}", body).status_code == 400
    assert not installed.secrets.exists()


def test_only_an_admin_sets_quotas_and_an_owner_reads_them(owner, as_user, ada, installed):
    body = {"requests_per_minute": 0, "concurrency": None}
    assert owner.put(f"{ACME}/tax/quotas", body).status_code == 403
    assert as_user(ada).put(f"{ACME}/tax/quotas", body).status_code == 200
    found = owner.get(f"{ACME}/tax/quotas").json()
    assert (found["requests_per_minute"], found["calls_this_minute"]) == (0, 0)


@pytest.mark.parametrize("value", [-1, "many", 10_000_001])
def test_a_bad_quota_is_refused_by_its_name(as_user, ada, installed, value):
    body = {"requests_per_minute": value, "concurrency": 1}
    answer = as_user(ada).put(f"{ACME}/tax/quotas", body)
    assert "requests_per_minute" in answer.json()["error"]["fields"]


def test_quotas_come_with_what_is_used_of_them(owner, installed, stable, acme, globex):
    tenants = {str(acme.pk): [7, 1], str(globex.pk): [90, 0]}
    CallWindow.objects.create(
        instance="i-1",
        boot=uuid4(),
        environment="qa",
        plugin_id=stable.plugin_id,
        version_id=stable.pk,
        second=timezone.now().replace(microsecond=0),
        calls=97,
        failures=1,
        outcomes={},
        latencies={},
        tenants=tenants,
    )
    assert owner.get(f"{ACME}/tax/quotas").json()["calls_this_minute"] == 7


def test_the_list_says_which_version_serves_and_why(owner, installed, acme, tax, bob):
    candidate = make_version(tax, "2.0.0")
    deployment = make_deployment(candidate)
    tax.routes.update(candidate=candidate, deployment=deployment)
    Admission.objects.create(deployment=deployment, tenant=acme, step=0)
    found = owner.get(ACME).json()["results"]
    assert [(each["version"], each["why"]) for each in found] == [("2.0.0", "admission")]


def test_a_hold_goes_before_the_candidate(owner, installed, acme, tax, stable):
    Hold.objects.create(
        tenant=acme, plugin=tax, environment=environment(), version=stable, reason="no fit"
    )
    found = owner.get(ACME).json()["results"][0]
    assert (found["version"], found["why"], found["detail"]) == ("1.0.0", "hold", "no fit")


def test_a_killed_plugin_serves_nobody(owner, installed, tax):
    tax.routes.update(is_killed=True)
    found = owner.get(f"{ACME}/tax").json()
    assert (found["version"], found["why"]) == (None, "killed")


def test_the_list_takes_a_fixed_number_of_queries(
    owner, acme, bob, installed, django_assert_max_num_queries
):
    for number in range(8):
        plugin = make_plugin(f"more-{number}", owner=bob)
        make_route(plugin, stable=make_version(plugin))
        make_installation(acme, plugin)
    with django_assert_max_num_queries(20):
        assert owner.get(ACME).json()["count"] == 9


@pytest.mark.parametrize("path", ["", "/config", "/pin", "/secrets", "/quotas", "/secrets/token"])
def test_what_is_not_installed_is_not_found(owner, tax, path):
    body = {"config": {}, "version": "1", "reason": "r", "value": "v"}
    reads = path in ("", "/secrets", "/quotas")
    call = owner.get if reads else owner.put
    answer = call(f"{ACME}/tax{path}", {} if reads else body)
    assert answer.status_code == 404
    assert "enable it first" in answer.json()["error"]["message"]


def test_a_suspended_tenant_changes_nothing(owner, as_user, ada, installed):
    as_user(ada).post("/api/v1/tenants/acme/suspend")
    answer = owner.put(f"{ACME}/tax/config", {"config": {"currency": "USD"}})
    assert _error(answer) == (409, "tenant_suspended")
    assert owner.post(f"{ACME}/tax/disable").status_code == 200
