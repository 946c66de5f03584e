"""What an environment must have before a version is deployed there, and what must not be lost."""

import pytest

from deployments.dependencies import find_broken, find_unmet, validate_dependencies, who_needs
from deployments.models import Hold, Status
from deployments.services import plan_deployment, rollback_deployment, start_deployment
from hotswap.lib.errors import ConflictError
from tests.deployments.worlds import World, fresh
from tests.factories import (
    environment,
    make_deployment,
    make_installation,
    make_plugin,
    make_route,
    make_tenant,
    make_version,
    minimal_manifest,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def currency(bob):
    return make_plugin("currency", owner=bob)


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def needing():
    def make(plugin, version, *needs):
        text = {"dependencies": {"plugins": list(needs), "python": []}}
        return make_version(
            plugin, version, manifest=minimal_manifest(plugin.name, version, **text)
        )

    return make


def plan(version, env="qa"):
    return plan_deployment(plugin=version.plugin, environment=environment(env), candidate=version)


def refusal(version):
    with pytest.raises(ConflictError) as caught:
        plan(version)
    return caught.value


def unmet(version, env="qa"):
    return [str(each) for each in find_unmet(version, environment(env))]


def test_a_need_is_met_by_the_stable_version_of_that_environment_alone(echo, currency, needing):
    version = needing(echo, "1.0.0", "currency>=1.5")
    make_route(currency, stable=make_version(currency, "1.6.0"), env="staging")

    assert unmet(version, "staging") == []
    assert unmet(version) == ["currency>=1.5 (stable is nothing)"]
    make_route(currency, stable=make_version(currency, "1.4.0"))
    assert unmet(version) == ["currency>=1.5 (stable is 1.4.0)"]
    assert refusal(version).code == "dependency_missing"


def test_a_need_is_not_met_by_what_is_killed_or_revoked(echo, currency, needing):
    version = needing(echo, "1.0.0", "currency")
    stable = make_version(currency, "1.6.0")
    route = make_route(currency, stable=stable, is_killed=True)
    assert unmet(version) == ["currency (currency is switched off)"]

    route.is_killed = False
    route.save()
    assert unmet(version) == []
    stable.status = "revoked"
    stable.save()
    assert unmet(version) == ["currency (1.6.0 is revoked)"]


def test_what_is_being_deployed_must_fit_as_well(echo, currency, needing):
    old, new = make_version(currency, "1.6.0"), make_version(currency, "2.0.0")
    version = needing(echo, "1.0.0", "currency<2")
    deployment = make_deployment(new, incumbent=old)
    make_route(currency, stable=old, candidate=new, deployment=deployment)

    assert unmet(version) == ["currency<2 (2.0.0 is being deployed)"]


def test_tenants_whom_a_pin_or_hold_keeps_on_another_version_are_named(echo, currency, needing):
    old, new = make_version(currency, "1.0.0"), make_version(currency, "2.0.0")
    version = needing(echo, "1.0.0", "currency>=2")
    make_route(currency, stable=new)
    for slug in ("acme", "globex", "initech"):
        make_installation(make_tenant(slug), echo)
    acme, globex, initech = (row.tenant for row in echo.installations.order_by("tenant__slug"))
    make_installation(acme, currency, pinned_version=old, pin_reason="x")
    make_installation(initech, currency, pinned_version=new, pin_reason="x")
    make_installation(make_tenant("uses-no-echo"), currency, pinned_version=old, pin_reason="x")
    Hold.objects.create(
        tenant=globex, plugin=currency, environment=environment(), version=old, reason="x"
    )

    assert unmet(version) == ["currency>=2 (1.0.0 is pinned or held for acme, globex)"]


def test_a_candidate_that_breaks_what_runs_is_refused_and_names_it(echo, currency, needing):
    old, new = make_version(currency, "1.6.0"), make_version(currency, "2.0.0")
    make_route(currency, stable=old)
    make_route(echo, stable=needing(echo, "1.0.0", "currency<2"))
    make_route(make_plugin("tax"), stable=needing(make_plugin("fees"), "1.0.0", "currency"))

    found = refusal(new)

    assert found.code == "dependency_broken"
    assert "would break echo 1.0.0 (stable; needs currency<2) in qa" in found.message
    assert "fees" not in found.message
    plan(make_version(currency, "1.7.0"))
    plan(needing(currency, "2.0.1"), env="staging")


def test_what_a_pin_keeps_running_is_not_broken_either(echo, currency, needing, acme):
    old, new = make_version(currency, "1.6.0"), make_version(currency, "2.0.0")
    make_route(currency, stable=old)
    make_route(echo, stable=needing(echo, "2.0.0", "currency"))
    pin = needing(echo, "1.0.0", "currency<2")
    make_installation(acme, echo, pinned_version=pin, pin_reason="x")

    (broken,) = find_broken(new, environment())

    assert str(broken) == "echo 1.0.0 (pinned; needs currency<2)"
    assert who_needs(currency, environment()) == ["echo 1.0.0", "echo 2.0.0"]


def test_what_is_broken_already_stops_nobody(echo, currency, needing):
    make_route(currency, stable=make_version(currency, "1.0.0"))
    make_route(echo, stable=needing(echo, "1.0.0", "currency>=3"))

    plan(make_version(currency, "2.0.0"))


def test_a_need_that_is_lost_while_a_deployment_waits_ends_it(echo, currency, needing, bob):
    world = World("i-1")
    route = make_route(currency, stable=make_version(currency, "2.0.0"))
    version = needing(echo, "1.0.0", "currency>=2")
    deployment = start_deployment(plugin=echo, environment=environment(), candidate=version, by=bob)
    route.stable = make_version(currency, "1.0.0")
    route.save()

    world.run(deployment)

    assert fresh(deployment).status == Status.FAILED
    assert "needs currency>=2 (stable is 1.0.0)" in deployment.reason


def test_going_back_is_allowed_although_something_needs_the_newer_version(
    echo, currency, needing, bob
):
    old, new = make_version(currency, "1.0.0"), make_version(currency, "2.0.0")
    done = make_deployment(new, incumbent=old, status=Status.COMPLETED)
    make_route(currency, stable=new)
    make_route(echo, stable=needing(echo, "1.0.0", "currency>=2"))

    assert rollback_deployment(deployment=done, by=bob).candidate == old


def test_the_report_has_the_graph_of_the_environment(echo, currency, needing):
    make_version(currency, "2.0.0")
    make_route(currency, stable=make_version(currency, "1.0.0"))
    version = needing(echo, "1.0.0", "currency>=2")

    report = validate_dependencies(version, environment())

    assert not report.is_valid
    assert [node.version for node in report.graph.nodes] == ["1.0.0", "1.0.0"]
    assert [str(each) for each in report.unmet] == ["currency>=2 (stable is 1.0.0)"]


def test_the_report_needs_as_many_queries_however_large_the_registry_is(
    echo, currency, needing, django_assert_max_num_queries
):
    last = currency
    for number in range(12):
        plugin = make_plugin(f"chain-{number}")
        make_route(plugin, stable=needing(plugin, "1.0.0", last.name))
        needing(plugin, "2.0.0", last.name)
        last = plugin
    make_route(currency, stable=make_version(currency, "1.0.0"))
    version = needing(echo, "1.0.0", last.name)

    with django_assert_max_num_queries(20):
        report = validate_dependencies(version, environment())

    assert (report.is_valid, len(report.graph.nodes)) == (True, 14)
