"""Starting, previewing and going back: what is refused, by which code, and changes nothing."""

import pytest
from django.db import IntegrityError, transaction

from deployments.models import Deployment, DeploymentStep, Status
from deployments.services import plan_deployment, rollback_deployment, start_deployment
from hotswap.lib.errors import ConflictError, InvalidInputError
from observability.models import AuditEvent
from plugins.models import Environment, Plugin, PluginVersion
from tests.deployments.worlds import World, fresh, route_of
from tests.factories import (
    environment,
    make_deployment,
    make_plugin,
    make_version,
    minimal_manifest,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World("i-1")


def refused(deploy, version, **arguments):
    """The refusal's code; nothing of the request is left."""
    before = Deployment.objects.count()
    with pytest.raises(ConflictError) as refusal:
        deploy(version, **arguments)
    assert Deployment.objects.count() == before
    return refusal.value.code


def test_a_started_deployment_has_its_plan_and_is_due(v1_is_stable, v2, deploy, bob):
    deployment = deploy(v2)

    assert deployment.status == Status.PENDING
    assert deployment.wake_at is not None
    assert [step.kind for step in deployment.steps.all()] == [
        "load",
        "probe",
        "route",
        "hold",
        "promote",
        "unload",
    ]
    assert AuditEvent.objects.get(action="deployment.requested").actor == "bob"


@pytest.mark.parametrize("status", ["draft", "rejected", "yanked", "revoked"])
def test_a_version_that_may_not_run_is_refused_with_a_way_out(echo, deploy, status):
    version = make_version(echo, "9.0.0", status=status)

    assert refused(deploy, version) == f"version_{status}"
    with pytest.raises(ConflictError, match=r"is \w+ and cannot be deployed to qa; \w+"):
        deploy(version)


def test_a_draft_may_run_where_approval_is_not_required(echo, deploy):
    assert not environment("development").requires_approved_versions
    draft = make_version(echo, "9.0.0", status="draft")

    assert deploy(draft, env="development").status == Status.PENDING


def test_the_stable_version_is_not_deployed_again(v1_is_stable, v1, deploy):
    assert refused(deploy, v1) == "already_stable"


def test_an_inactive_plugin_is_refused(v1, deploy):
    Plugin.objects.update(is_active=False)
    v1.plugin.refresh_from_db()

    assert refused(deploy, v1) == "plugin_disabled"


def test_a_frozen_environment_is_refused(v1, deploy):
    Environment.objects.update(is_frozen=True)

    assert refused(deploy, v1) == "environment_frozen"


def test_a_missing_plugin_dependency_is_refused(echo, deploy):
    needs = {"dependencies": {"plugins": ["currency>=1.5,<2"], "python": []}}
    version = make_version(echo, "3.0.0", manifest=minimal_manifest("echo", "3.0.0", **needs))
    make_version(make_plugin("currency"), "1.4.0")

    assert refused(deploy, version) == "dependency_missing"
    with pytest.raises(ConflictError, match=r"needs currency<2,>=1.5 \(stable is nothing\) in qa"):
        deploy(version)


def test_a_second_deployment_is_refused_and_names_the_first(v1_is_stable, v2, deploy):
    first = deploy(v2)
    v3 = make_version(v2.plugin, "3.0.0")

    assert refused(deploy, v3) == "deployment_active"
    with pytest.raises(ConflictError, match=str(first.pk)):
        deploy(v3)


def test_a_queued_deployment_begins_when_the_first_is_over(world, v1_is_stable, v2, deploy):
    v3 = make_version(v2.plugin, "3.0.0")
    first = world.run_to(deploy(v2), "hold")
    second = deploy(v3, if_active="queue")
    world.tick(second)
    assert second.status == Status.PENDING
    world.run(first)
    world.run(second)

    assert (fresh(first).status, fresh(second).status) == (Status.COMPLETED, Status.COMPLETED)
    assert fresh(second).incumbent == v2


def test_only_one_deployment_waits(world, v1_is_stable, v2, deploy):
    world.run_to(deploy(v2), "hold")
    deploy(make_version(v2.plugin, "3.0.0"), if_active="queue")

    assert refused(deploy, make_version(v2.plugin, "4.0.0"), if_active="queue") == (
        "deployment_active"
    )


def test_replacing_sends_the_first_back_before_the_second_begins(
    world, v1_is_stable, v1, v2, tenants, deploy
):
    first = world.run_to(deploy(v2), "hold")
    second = deploy(make_version(v2.plugin, "3.0.0"), if_active="replace")
    world.run(first)
    world.run(second)

    assert (first.status, first.reason) == (Status.SUPERSEDED, "supersede by bob")
    assert (second.status, second.incumbent) == (Status.COMPLETED, v1)


def test_of_two_replacements_the_last_wins(world, v1_is_stable, v2, deploy):
    first = world.run_to(deploy(v2), "hold")
    second = deploy(make_version(v2.plugin, "3.0.0"), if_active="replace")
    third = deploy(make_version(v2.plugin, "4.0.0"), if_active="replace")
    world.run(first)
    world.run(third)

    assert [fresh(each).status for each in (first, second, third)] == [
        Status.SUPERSEDED,
        Status.SUPERSEDED,
        Status.COMPLETED,
    ]
    assert fresh(second).started_at is None


def test_a_queued_version_that_was_revoked_meanwhile_fails(world, v1_is_stable, v2, deploy):
    v3 = make_version(v2.plugin, "3.0.0")
    first = world.run_to(deploy(v2), "hold")
    second = deploy(v3, if_active="queue")
    PluginVersion.objects.filter(pk=v3.pk).update(status="revoked")
    world.run(first)
    world.run(second)

    assert (second.status, second.reason) == (
        Status.FAILED,
        "echo 3.0.0 is revoked and cannot be deployed to qa; choose another version",
    )


def test_a_deployment_queued_behind_the_first_ever_has_an_incumbent(world, v1, v2, deploy):
    first = deploy(v1)
    world.deaf = {"i-1"}
    world.tick(first)
    second = deploy(v2, if_active="queue")
    assert second.steps.count() == 3
    world.deaf = set()
    world.run(first)
    world.run(second)

    assert second.incumbent == v1
    assert [step.kind for step in second.steps.all()][2:4] == ["route", "hold"]


def test_the_database_allows_one_running_and_one_waiting(v1, v2):
    for status in (Status.IN_PROGRESS, Status.PENDING):
        make_deployment(v1, status=status)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_deployment(v2, status=status)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"strategy": "big-bang"}, "strategy"),
        ({"options": {"bake_seconds": -1}}, "options.bake_seconds"),
        ({"if_active": "perhaps"}, "if_active"),
    ],
)
def test_bad_arguments_are_named(v1, bob, arguments, field):
    with pytest.raises(InvalidInputError) as refusal:
        start_deployment(
            plugin=v1.plugin, environment=environment(), candidate=v1, by=bob, **arguments
        )

    assert list(refusal.value.fields) == [field]


def test_a_version_of_another_plugin_is_refused(v1, bob):
    with pytest.raises(InvalidInputError, match="not a version of"):
        start_deployment(
            plugin=make_plugin("other"), environment=environment(), candidate=v1, by=bob
        )


def preview(version, env="qa", **options):
    return plan_deployment(
        plugin=version.plugin, environment=environment(env), candidate=version, options=options
    )


def test_a_preview_names_steps_tenants_and_changes_nothing(world, v1_is_stable, v2, tenants):
    tenants[0].installations.update(pinned_version=v1_is_stable.stable, pin_reason="an audit")
    before = environment().generation
    plan = preview(v2, bake_seconds=7)

    assert (plan.incumbent, plan.candidate, plan.tenants, plan.excluded) == ("1.0.0", "2.0.0", 4, 1)
    assert [(step.kind, step.tenants) for step in plan.steps][2:5] == [
        ("route", 4),
        ("hold", None),
        ("promote", 4),
    ]
    assert plan.steps[3].title == "Watch the candidate for 7 s"
    assert plan.warnings == ()
    assert not Deployment.objects.exists()
    assert not DeploymentStep.objects.exists()
    assert environment().generation == before


def test_a_preview_lists_the_tenants_whose_config_does_not_fit(v1_is_stable, v1, tenants):
    schema = {"type": "object", "required": ["rate"]}
    manifest = minimal_manifest("echo", "2.0.0", config={"schema": schema})
    plan = preview(make_version(v1.plugin, "2.0.0", manifest=manifest))

    assert [offender.tenant for offender in plan.offenders] == [t.slug for t in tenants]
    assert plan.offenders[0].problems == (("", '"rate" is a required property'),)
    assert plan.tenants == 0


def test_a_preview_warns(v1_is_stable, v1, deploy):
    make_deployment(v1)
    Environment.objects.update(is_frozen=True)
    older = make_version(v1.plugin, "0.9.0", status="deprecated")

    assert preview(older).warnings == (
        "echo 0.9.0 is deprecated",
        "no instance of qa is live: the load waits for one",
        "echo 1.0.0 to qa (in_progress) is under way",
        "environment qa is frozen",
        "echo 0.9.0 is older than the stable echo 1.0.0",
        "no tenant would be moved",
    )


def test_a_preview_refuses_what_the_start_would_refuse(v1_is_stable, v1):
    with pytest.raises(ConflictError, match="already the stable version"):
        preview(v1)


@pytest.fixture
def completed(world, v1_is_stable, v2, tenants, deploy):
    return world.run(deploy(v2))


def test_a_completed_deployment_is_rolled_back_by_a_new_one(world, completed, v1, carol):
    back = world.run(rollback_deployment(deployment=completed, by=carol))

    assert (back.kind, back.status, back.candidate) == ("rollback", Status.COMPLETED, v1)
    assert route_of(v1.plugin).stable == v1


def test_a_frozen_environment_allows_a_rollback(world, completed, v1, carol):
    Environment.objects.update(is_frozen=True, required_approvals=2)
    completed.refresh_from_db()
    back = world.run(rollback_deployment(deployment=fresh(completed), by=carol))

    assert back.status == Status.COMPLETED


def test_rolling_back_what_runs_is_its_own_rollback(world, v1_is_stable, v2, deploy, carol):
    running = world.run_to(deploy(v2), "hold")

    assert rollback_deployment(deployment=running, by=carol) == running
    assert world.run(running).status == Status.ROLLED_BACK


def test_what_has_gone_back_is_not_rolled_back_again(world, completed, v1, carol):
    world.run(rollback_deployment(deployment=completed, by=carol))

    with pytest.raises(ConflictError, match="not the stable version any more"):
        rollback_deployment(deployment=completed, by=carol)


def test_the_first_deployment_has_nothing_to_go_back_to(world, v1, deploy, carol):
    first = world.run(deploy(v1))

    with pytest.raises(ConflictError, match="there is no version before") as refusal:
        rollback_deployment(deployment=first, by=carol)
    assert refusal.value.code == "nothing_before"


def test_nobody_goes_back_to_a_revoked_version(completed, v1, carol):
    PluginVersion.objects.filter(pk=v1.pk).update(status="revoked")

    with pytest.raises(ConflictError, match="revoked"):
        rollback_deployment(deployment=fresh(completed), by=carol)


def test_nobody_goes_back_to_a_version_that_is_broken(completed, v1, carol):
    v1.placements.update(state="failed", detail="out of memory")

    with pytest.raises(ConflictError, match="unhealthy on i-1"):
        rollback_deployment(deployment=completed, by=carol)
