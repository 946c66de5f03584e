"""Reads the evidence that the guardrails judge, and acts on single tenants."""

from datetime import datetime, timedelta
from uuid import UUID

from deployments import guardrails
from deployments.guardrails import Evidence, Limits
from deployments.models import Admission, Deployment, Hold
from deployments.plans import strategy_of
from deployments.reports import broken_placements, live_instances, placements_of
from deployments.route_changes import send_tenants_back
from observability.totals import WindowTotals, add_up
from observability.windows import totals
from plugins.models import VersionStatus

WINDOW = timedelta(seconds=guardrails.WINDOW_SECONDS)
OVERALL = timedelta(seconds=guardrails.OVERALL_SECONDS)
WARM_UP = timedelta(seconds=guardrails.WARM_UP_SECONDS)
WITHDRAWN = (VersionStatus.REJECTED, VersionStatus.YANKED, VersionStatus.REVOKED)


def find_alarm(deployment: Deployment, now: datetime) -> str:
    """Why the candidate must go at once. Tenants whom it alone fails are sent back here."""
    if deployment.candidate.status in WITHDRAWN:
        return f"{deployment.candidate} is {deployment.candidate.status}"
    if deployment.routed_at is None:
        return ""
    evidence = gather_evidence(deployment, now)
    breach = guardrails.find_breach(evidence, limits_of(deployment))
    if not breach:
        _send_failed_tenants_back(deployment, evidence)
    return breach


def limits_of(deployment: Deployment) -> Limits:
    strategy = strategy_of(deployment)
    return Limits(
        max_error_percent=strategy.max_error_percent,
        max_latency_ratio=strategy.max_latency_ratio,
        max_failed_tenants=strategy.max_failed_tenants,
    )


def gather_evidence(deployment: Deployment, now: datetime) -> Evidence:
    """Windows are whole seconds, the one in which the traffic began included."""
    routed = (deployment.routed_at or now).replace(microsecond=0)
    warm, until = routed + WARM_UP, now + timedelta(seconds=1)
    live = live_instances(deployment.environment, now)
    placements = placements_of(deployment.candidate, live)

    def seen(since: datetime, until: datetime) -> WindowTotals:
        return _totals(deployment, deployment.candidate_id, since, until)

    return Evidence(
        fresh=seen(max(now - WINDOW, routed), until),
        recent=seen(max(now - WINDOW, warm), until),
        earlier=seen(max(now - 2 * WINDOW, warm), now - WINDOW),
        overall=seen(max(now - OVERALL, routed), until),
        incumbent=_incumbent_totals(deployment, routed, now),
        broken_placements=tuple(broken_placements(placements, routed)),
        sent_back=_sent_back(deployment),
    )


def _incumbent_totals(deployment: Deployment, routed: datetime, now: datetime) -> WindowTotals:
    """The minute before the candidate got traffic and the last one: a share may still be here."""
    if deployment.incumbent_id is None:
        return WindowTotals()
    before = _totals(deployment, deployment.incumbent_id, routed - OVERALL, routed)
    since = _totals(deployment, deployment.incumbent_id, max(now - OVERALL, routed), now)
    return add_up((before, since))


def _totals(
    deployment: Deployment, version_id: UUID, since: datetime, until: datetime
) -> WindowTotals:
    if since >= until:
        return WindowTotals()
    return totals(version_id, deployment.environment.name, since, until)


def _sent_back(deployment: Deployment) -> frozenset[str]:
    """Held tenants who had been admitted; those whose config never fitted had not."""
    admitted = Admission.objects.filter(deployment=deployment).values("tenant_id")
    holds = Hold.objects.filter(deployment=deployment, tenant_id__in=admitted)
    return frozenset(str(pk) for pk in holds.values_list("tenant_id", flat=True))


def _send_failed_tenants_back(deployment: Deployment, evidence: Evidence) -> None:
    """Only admitted ones: a tenant pinned to the candidate is there by somebody's choice."""
    failed = guardrails.find_failed_tenants(evidence) - evidence.sent_back
    if not failed or deployment.incumbent_id is None:
        return
    rows = Admission.objects.filter(deployment=deployment, closed_at__isnull=True)
    admitted = rows.filter(tenant_id__in=failed).values_list("tenant_id", flat=True)
    reasons = dict.fromkeys(admitted, f"no call succeeded on {deployment.candidate}")
    if reasons:
        send_tenants_back(deployment, reasons)
