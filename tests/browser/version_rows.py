"""Versions of plugins as rows, in every state that their pages can show."""

from datetime import timedelta

from django.utils import timezone

from hotswap.lib.keys import signing_key
from plugins.approval import make_statement, sign_approval
from plugins.models import (
    DependencyLock,
    PluginDependency,
    PublisherKey,
    Resolution,
    ResolutionStatus,
    VersionDecision,
    VersionStatus,
)
from tests.factories import make_plugin, make_route, make_version, minimal_manifest


def make_tax_versions(tax, people):
    currency = make_plugin("currency", owner=people["bob"])
    rates = make_version(currency, "1.6.0")
    make_route(currency, stable=rates)
    feed = make_plugin("rates-feed", owner=people["bob"])
    make_version(feed, "3.1.0")
    report = make_version(make_plugin("vat-report", owner=people["bob"]), "0.4.0")
    need(rates, "rates-feed", ">=3")
    need(report, "invoice-tax", ">=1.0,<2")
    need(report, "currency", ">=2")
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
    lock(versions["1.0.0"])
    return versions


def need(version, name, specifier):
    PluginDependency.objects.create(version=version, name=name, specifier=specifier)


def lock(version):
    """What its dependencies resolved to, in its bill of materials too."""
    packages = [
        {"name": "babel", "version": "2.17.0", "bytes": 10_182_000, "requires": []},
        {"name": "lxml", "version": "5.3.0", "bytes": 4_990_000, "requires": []},
        {"name": "python-stdnum", "version": "1.20", "bytes": 987_000, "requires": ["babel>=2"]},
    ]
    DependencyLock.objects.create(digest="d" * 64, packages=packages)
    version.sbom = {
        "bomFormat": "CycloneDX",
        "components": [
            {
                "type": "library",
                "name": each["name"],
                "version": each["version"],
                "hashes": [{"alg": "SHA-256", "content": "0123456789abcdef" * 4}],
            }
            for each in packages
        ],
    }
    version.manifest["dependencies"]["python"] = ["babel>=2.14", "lxml>=5", "python-stdnum"]
    version.lock_digest = "d" * 64
    version.approval["lock_digest"] = "d" * 64
    version.approval_signature = sign_approval(version.approval, signing_key())
    version.save()
    now = timezone.now()
    Resolution.objects.create(
        version=version,
        status=ResolutionStatus.RESOLVED,
        started_at=now,
        finished_at=now,
        progress=[{"at": now.isoformat(), "message": "Locked 3 packages"}],
    )


def make_keys(publisher):
    now = timezone.now()
    for digit, name, life, revoked in (
        ("a", "release pipeline", 300, None),
        ("b", "laptop", 200, now),
        ("c", "the pipeline before", -3, None),
    ):
        PublisherKey.objects.create(
            key_id=digit * 64,
            publisher=publisher,
            name=name,
            public_key="",
            not_before=now - timedelta(days=400),
            not_after=now + timedelta(days=life),
            revoked_at=revoked,
            revocation_reason="Left in a train" if revoked else "",
        )


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
        "dependencies": {"plugins": ["currency>=1.5,<2"], "python": []},
    }
    return minimal_manifest("invoice-tax", number, **(ordinary | changes))


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
        permissions=version.manifest.get("permissions", {}),
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
