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
from hotswap.lib.keys import signing_key
from observability.models import CallWindow
from plugins.approval import make_statement, sign_approval
from plugins.models import (
    Environment,
    Resolution,
    ResolutionStatus,
    VersionDecision,
    VersionStatus,
)
from tenants.models import TenantSecret
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
    minimal_manifest,
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
    versions = _tax_versions(tax, people)
    signer = make_plugin("webhook-signer", owner=people["bob"])
    signed = make_version(signer, "1.0.0")
    make_route(signer, stable=signed)
    long = make_plugin(LONG_NAME, owner=people["bob"])
    make_version(long, "12.0.0-rc.1", status=VersionStatus.DRAFT)
    make_plugin("text-insights", owner=people["bob"])
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


def _tax_versions(tax, people):
    currency = make_plugin("currency", owner=people["bob"])
    rates = make_version(currency, "1.6.0", manifest=needing("currency", "1.6.0", ["rates-feed"]))
    make_route(currency, stable=rates)
    versions = {
        number: make_version(tax, number, manifest=tax_manifest(number))
        for number in ("1.0.0", "1.1.0", "1.2.0")
    }
    draft = make_version(
        tax, "1.3.0", status=VersionStatus.DRAFT, manifest=tax_manifest("1.3.0", **NEXT)
    )
    fill_draft(draft)
    versions["1.3.0"] = draft
    old = make_version(tax, "0.9.0", status=VersionStatus.REVOKED)
    old.status_reason = "Rounds Swiss totals to the wrong five centimes; found by an auditor"
    old.save()
    for number in ("1.0.0", "1.1.0", "1.2.0"):
        countersign(versions[number], people["carol"])
    return versions


NEXT = {
    "methods": {
        "quote": {
            "summary": "Tax and total of an invoice, line by line",
            "timeout_seconds": 2,
            "idempotent": True,
            "input_schema": {
                "type": "object",
                "required": ["lines", "country", "on"],
                "properties": {
                    "lines": {"type": "array", "items": {"type": "object"}, "maxItems": 500},
                    "country": {"enum": ["AT", "BE", "DE", "FR", "NL"]},
                    "on": {"type": "string", "format": "date"},
                    "rounding": {"enum": ["half-even", "half-up"], "default": "half-even"},
                },
            },
            "output_schema": {"type": "object", "required": ["total"]},
            "examples": [{"parameters": {"lines": [], "country": "NL", "on": "2026-01-01"}}],
        },
        "rates": {"summary": "The rates of a country", "timeout_seconds": 1},
    },
    "permissions": {
        "native": True,
        "egress": [
            {"host": "ec.europa.eu", "methods": ["GET"], "ports": [443]},
            {"host": "api.rates.example", "methods": ["GET", "POST"], "ports": [443]},
        ],
    },
    "secrets": {
        "rates_key": {"mode": "header", "host": "api.rates.example", "header": "Authorization"}
    },
    "resources": {"memory_mb": 384},
    "dependencies": {"plugins": ["currency>=1.5,<2"], "python": ["babel>=2.14", "lxml>=5"]},
    "health": {"startup_seconds": 20, "error_rate": 0.02, "p99_seconds": 0.5},
    "metrics": {"invoices_total": {"type": "counter", "unit": "invoices", "summary": "Quoted"}},
    "requires_python": ">=3.11",
    "author": "Finance platform",
}


def tax_manifest(number, **changes):
    config = {
        "type": "object",
        "required": ["country"],
        "properties": {
            "country": {"type": "string", "minLength": 2, "maxLength": 2},
            "rounding": {"enum": ["half-even", "half-up"], "default": "half-even"},
        },
    }
    ordinary = {
        "summary": "European VAT rates and the rounding that each country asks for",
        "methods": {
            "quote": {"timeout_seconds": 2, "idempotent": True},
            "refund": {"timeout_seconds": 2},
        },
        "config": {"schema": config},
        "permissions": {"egress": [{"host": "ec.europa.eu"}, {"host": "old.rates.example"}]},
        "dependencies": {"plugins": ["currency>=1.2"], "python": []},
    }
    return minimal_manifest("invoice-tax", number, **(ordinary | changes))


def needing(name, number, plugins):
    return minimal_manifest(name, number, dependencies={"plugins": plugins, "python": []})


def fill_draft(draft):
    """What its upload found: warnings, a bill of materials, and a resolution under way."""
    draft.warnings = [
        {
            "code": "secret_found",
            "path": "invoice_tax/rates.py",
            "message": "Line 12 looks like an AWS access key. If it is one, withdraw it where it "
            "is valid and upload a version without it; tenants' secrets belong into [secrets].",
        }
    ]
    files = ("hotswap.toml", "invoice_tax/__init__.py", "invoice_tax/rates.py")
    parts = [
        {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digit * 64}]}
        for digit, name in zip("abc", files, strict=True)
    ]
    declared = [
        {"type": "library", "name": name, "properties": [{"value": text}]}
        for name, text in (("babel", "babel>=2.14"), ("lxml", "lxml>=5"))
    ]
    draft.sbom = {"bomFormat": "CycloneDX", "components": [*parts, *declared]}
    draft.save()
    now = timezone.now()
    said = ("Asking the index for babel and lxml", "Chose babel 2.17.0", "Fetching lxml 5.3.0")
    Resolution.objects.create(
        version=draft,
        status=ResolutionStatus.RUNNING,
        started_at=now - timedelta(seconds=6),
        progress=[{"at": now.isoformat(), "message": message} for message in said],
    )


def countersign(version, approver):
    """As an approval does, without an artifact behind it."""
    version.approval = make_statement(
        plugin=version.plugin.name,
        version=version.version,
        artifact_digest=version.artifact_digest,
        manifest_digest=version.manifest_digest,
        lock_digest=version.lock_digest,
        permissions={},
        approvers=[approver.pk],
    )
    version.approval_signature = sign_approval(version.approval, signing_key())
    version.save()
    VersionDecision.objects.create(
        version=version,
        user=approver,
        approved=True,
        comment="Rates checked against the official table",
    )


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
