"""A platform in the middle of its day, as rows: every state that a page can show."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from deployments.models import (
    DeploymentEvent,
    DeploymentStep,
    Hold,
    PlacementState,
    Status,
    StepStatus,
)
from deployments.plans import draw_plan, store_steps, strategy_of
from observability.models import CallWindow
from plugins.models import Environment, VersionStatus
from tenants.models import TenantSecret
from tests.browser.version_rows import make_keys, make_tax_versions
from tests.factories import (
    make_deployment,
    make_installation,
    make_instance,
    make_placement,
    make_plugin,
    make_route,
    make_tenant,
    make_user,
    make_version,
)

LONG_NAME = "reconciliation-of-intercompany-invoices-for-subsidiaries"


def make_people():
    """ada administers, bob develops, carol approves, alice owns acme."""
    return {
        "ada": make_user("ada", is_admin=True),
        "bob": make_user("bob", role="Developer"),
        "carol": make_user("carol", role="Approver"),
        "alice": make_user("alice"),
    }


def plan_of(deployment, *, has_incumbent=True):
    store_steps(deployment, draw_plan(strategy_of(deployment), has_incumbent=has_incumbent))
    return list(DeploymentStep.objects.filter(deployment=deployment))


def finish_steps(steps, *, done, running=None, began=None):
    """The first ``done`` steps are done, one after the other; ``running`` runs for 8 s."""
    now = timezone.now()
    began = began or now - timedelta(seconds=30)
    for index, step in enumerate(steps[:done]):
        step.status = StepStatus.DONE
        step.started_at = began + timedelta(seconds=2 * index)
        step.finished_at = step.started_at + timedelta(seconds=1.7)
        step.detail = "2 of 2 instances" if index == 0 else ""
        step.save()
    if running is not None:
        steps[running].status = StepStatus.RUNNING
        steps[running].started_at = now - timedelta(seconds=8)
        steps[running].save()


def add_events(deployment, *kinds):
    for number, (kind, message) in enumerate(kinds, start=1):
        DeploymentEvent.objects.create(
            deployment=deployment, sequence=number, kind=kind, message=message
        )


def add_calls(version, *, calls, failures=0, env="qa", second=None):
    return CallWindow.objects.create(
        instance="i-1",
        boot=uuid4(),
        environment=env,
        plugin_id=version.plugin_id,
        version_id=version.pk,
        second=second or timezone.now(),
        calls=calls,
        failures=failures,
        outcomes={"ok": calls - failures},
        latencies={},
        tenants={},
    )


def make_day():
    """Everything at once; returns what the photographs are taken of."""
    people = make_people()
    tax = make_plugin("invoice-tax", owner=people["bob"])
    tax.summary = "European VAT rates and the rounding that each country asks for"
    tax.tags = ["finance", "europe"]
    tax.save()
    versions = make_tax_versions(tax, people)
    signer = make_plugin("webhook-signer", owner=people["bob"])
    signed = make_version(signer, "1.0.0")
    make_route(signer, stable=signed)
    long = make_plugin(LONG_NAME, owner=people["bob"])
    make_version(long, "12.0.0-rc.1", status=VersionStatus.DRAFT)
    make_plugin("text-insights", owner=people["bob"])
    make_keys(people["bob"])
    _deprecate(make_plugin("vat-lookup", owner=people["ada"]), tax)
    instances = _instances(versions, signed)
    running = _running(tax, versions, people)
    back = _rolled_back(tax, versions, people)
    _others(signed, people)
    tenant = _tenant(people, tax, signer, versions)
    return {
        "people": people,
        "plugin": tax,
        "draft": versions["1.3.0"],
        "empty_plugin": long,
        "running": running,
        "rolled_back": back,
        "tenant": tenant,
        "instances": instances,
    }


def _deprecate(plugin, replacement):
    plugin.is_deprecated, plugin.replacement = True, replacement
    plugin.deprecation_reason = "Rates are part of invoice-tax now"
    plugin.save()
    make_version(plugin, "2.0.0")


def _instances(versions, signed):
    now = timezone.now()
    qa = Environment.objects.get(name="qa")
    Environment.objects.filter(pk=qa.pk).update(generation=1482)
    Environment.objects.filter(name="production").update(required_approvals=2, is_frozen=True)
    first = make_instance("i-1", acked_generation=1482)
    second = make_instance("i-2", acked_generation=1480)
    silent = make_instance("i-3", heartbeat_at=now - timedelta(minutes=7), acked_generation=1200)
    for instance in (first, second, silent):
        make_placement(instance, versions["1.0.0"])
        make_placement(instance, signed)
    make_placement(first, versions["1.1.0"])
    make_placement(second, versions["1.1.0"], state=PlacementState.STARTING)
    make_placement(
        silent, versions["1.2.0"], state=PlacementState.FAILED, detail="ImportError: no lxml"
    )
    return first, second, silent


def _running(tax, versions, people):
    now = timezone.now()
    deployment = make_deployment(
        versions["1.1.0"],
        incumbent=versions["1.0.0"],
        by=people["bob"],
        started_at=now - timedelta(seconds=20),
        routed_at=now - timedelta(seconds=10),
        options={"bake_seconds": 30},
    )
    make_route(tax, stable=versions["1.0.0"], candidate=versions["1.1.0"], deployment=deployment)
    finish_steps(plan_of(deployment), done=3, running=3)
    add_events(
        deployment,
        ("requested", "by bob"),
        ("started", "with 2 live instances"),
        ("step_done", "Load the candidate on every instance"),
        ("step_done", "Call the candidate's examples"),
        ("step_done", "Send 100 % of the tenants to the candidate: 24 tenants"),
    )
    for age in range(3):
        add_calls(versions["1.1.0"], calls=301, second=now - timedelta(seconds=age))
    add_calls(versions["1.0.0"], calls=4120, failures=3, second=now - timedelta(seconds=12))
    return deployment


def _rolled_back(tax, versions, people):
    now = timezone.now()
    deployment = make_deployment(
        versions["1.2.0"],
        incumbent=versions["1.0.0"],
        by=people["bob"],
        status=Status.ROLLED_BACK,
        started_at=now - timedelta(hours=3),
        routed_at=now - timedelta(hours=3),
        finished_at=now - timedelta(hours=3) + timedelta(seconds=9),
        reason="31.2 % of the candidate's calls failed (limit 5 %); the incumbent's: 0.1 %",
    )
    steps = plan_of(deployment)
    finish_steps(steps, done=3, began=deployment.started_at)
    for step in steps[3:]:
        step.status = StepStatus.SKIPPED
        step.save()
    _add_way_back(deployment, deployment.started_at + timedelta(seconds=8))
    add_calls(
        versions["1.2.0"],
        calls=640,
        failures=200,
        second=deployment.started_at + timedelta(seconds=6),
    )
    return deployment


def _add_way_back(deployment, began):
    for position, (kind, arguments) in enumerate(
        (("route", {"percent": 0}), ("unload", {"role": "candidate", "after_seconds": 0}))
    ):
        DeploymentStep.objects.create(
            deployment=deployment,
            phase="rollback",
            position=position,
            kind=kind,
            arguments=arguments,
            status=StepStatus.DONE,
            started_at=began,
            finished_at=began + timedelta(seconds=0.4),
        )


def _others(signed, people):
    now = timezone.now()
    waiting = make_deployment(
        signed,
        env="staging",
        by=people["bob"],
        status=Status.AWAITING_APPROVAL,
        required_approvals=1,
    )
    store_steps(waiting, draw_plan(strategy_of(waiting), has_incumbent=False, approvals=1))
    done = make_deployment(
        signed,
        by=people["bob"],
        status=Status.COMPLETED,
        started_at=now - timedelta(days=2, minutes=1),
        finished_at=now - timedelta(days=2),
    )
    finish_steps(plan_of(done, has_incumbent=False), done=3, began=done.started_at)


def _tenant(people, tax, signer, versions):
    acme = make_tenant("acme", owner=people["alice"])
    make_installation(acme, tax, config={"country": "NL", "rounding": "half-even"})
    signing = make_installation(acme, signer, requests_per_minute=12_000, concurrency=40)
    make_installation(acme, tax, env="staging", is_enabled=False)
    TenantSecret.objects.create(
        tenant=acme, installation=signing, key="signing_key", ciphertext=b"sealed"
    )
    Hold.objects.create(
        tenant=acme,
        plugin=tax,
        environment=Environment.objects.get(name="qa"),
        version=versions["1.0.0"],
        reason="rounding: 'half-even' is not one of the candidate's choices",
    )
    return acme
