"""Chooses the tenants that a candidate serves and those that it must not, as rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from deployments.cohort import cohort_size, rank, salt_of
from deployments.events import record_event
from deployments.models import Admission, Deployment, Hold
from plugins.generation import Change
from plugins.models import Environment, Plugin, PluginVersion
from plugins.schemas import compile_schema
from tenants.models import TenantPluginConfig, TenantStatus

REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Offender:
    """A tenant whose config does not fit a version's schema, and where it does not."""

    tenant_id: UUID
    tenant: str
    problems: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        path, message = self.problems[0]
        return f"{path}: {message}" if path else message


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whom a version may serve: ``ranked`` from first to last, ``offenders`` not; pinned and held
    tenants are in neither.
    """

    ranked: tuple[str, ...]
    offenders: tuple[Offender, ...]

    def first(self, percent: int) -> tuple[str, ...]:
        return self.ranked[: cohort_size(percent, len(self.ranked))]


def find_cohort(candidate: PluginVersion, environment: Environment, now: datetime) -> Cohort:
    rows = eligible_installations(candidate.plugin, environment, now)
    offenders = find_offenders(candidate, rows)
    kept = {str(offender.tenant_id) for offender in offenders}
    tenants = (str(pk) for pk in rows.values_list("tenant_id", flat=True))
    salt = salt_of(candidate.plugin.name, candidate.version)
    return Cohort(tuple(rank(salt, (t for t in tenants if t not in kept))), offenders)


def enabled_installations(
    plugin: Plugin, environment: Environment
) -> "QuerySet[TenantPluginConfig]":
    rows = TenantPluginConfig.objects.in_environment(environment).enabled()
    return rows.filter(plugin=plugin, tenant__status=TenantStatus.ACTIVE)


def eligible_installations(
    plugin: Plugin, environment: Environment, now: datetime
) -> "QuerySet[TenantPluginConfig]":
    """Those that no pin and no hold keeps on a version of their own."""
    held = Hold.objects.filter(plugin=plugin, environment=environment, cleared_at__isnull=True)
    unpinned = Q(pinned_version__isnull=True) | Q(pin_expires_at__lte=now)
    rows = enabled_installations(plugin, environment).filter(unpinned)
    return rows.exclude(tenant_id__in=held.values("tenant_id"))


def find_offenders(
    version: PluginVersion, installations: "QuerySet[TenantPluginConfig]"
) -> tuple[Offender, ...]:
    """Installations whose config the version's schema refuses."""
    validator = compile_schema(config_schema(version))
    rows = installations.order_by("tenant__slug").values_list("tenant_id", "tenant__slug", "config")
    return tuple(
        Offender(tenant_id, slug, tuple(validator.validate(config)))
        for tenant_id, slug, config in rows.iterator()
        if not validator.is_valid(config)
    )


def config_schema(version: PluginVersion) -> dict[str, Any]:
    """A manifest without one accepts the empty config only."""
    nothing = {"type": "object", "additionalProperties": False}
    schema = version.manifest.get("config", {}).get("schema", nothing)
    return schema if isinstance(schema, dict) else nothing


def admit(deployment: Deployment, step: int, percent: int, change: Change) -> int:
    """Admit the tenants up to that share and hold those who must stay. How many are new."""
    now = timezone.now()
    cohort = find_cohort(deployment.candidate, deployment.environment, now)
    hold_offenders(deployment, cohort.offenders, change)
    admitted = Admission.objects.filter(deployment=deployment)
    known = {str(pk) for pk in admitted.values_list("tenant_id", flat=True)}
    fresh = [tenant for tenant in cohort.first(percent) if tenant not in known]
    Admission.objects.bulk_create(
        [Admission(deployment=deployment, tenant_id=tenant, step=step) for tenant in fresh]
    )
    change.touch(admitted.filter(step=step))
    if fresh:
        record_event(deployment, "admitted", f"{len(fresh)} tenants", {"percent": percent})
    return len(fresh)


def close_admissions(deployment: Deployment, change: Change) -> None:
    rows = Admission.objects.filter(deployment=deployment)
    if rows.filter(closed_at__isnull=True).update(closed_at=timezone.now()):
        change.touch(rows)


def hold_offenders(deployment: Deployment, offenders: Iterable[Offender], change: Change) -> None:
    reasons = {
        offender.tenant_id: f"the config does not fit {deployment.candidate}: {offender}"
        for offender in offenders
    }
    hold_tenants(deployment, reasons, change)


def hold_tenants(deployment: Deployment, reasons: dict[UUID, str], change: Change) -> None:
    """Keep these tenants on the incumbent, each for its reason, and tell."""
    if not reasons or deployment.incumbent is None:
        return
    place = {"plugin": deployment.plugin, "environment": deployment.environment}
    holds = [
        Hold(
            **place,
            tenant_id=tenant,
            version=deployment.incumbent,
            deployment=deployment,
            reason=reason[:REASON_CHARACTERS],
        )
        for tenant, reason in reasons.items()
    ]
    # Whom somebody else holds meanwhile stays held by that.
    Hold.objects.bulk_create(holds, ignore_conflicts=True)
    change.touch(Hold.objects.filter(deployment=deployment))
    data = {"tenants": {str(tenant): reason for tenant, reason in list(reasons.items())[:100]}}
    record_event(deployment, "held", f"{len(reasons)} tenants stay on the incumbent", data)


def clear_own_holds(deployment: Deployment, change: Change) -> None:
    """The candidate is gone, and with it every reason to be kept from it."""
    rows = Hold.objects.filter(deployment=deployment)
    if rows.filter(cleared_at__isnull=True).update(cleared_at=timezone.now()):
        change.touch(rows)


def clear_outlived_holds(deployment: Deployment, change: Change) -> None:
    """Holds against earlier candidates end when their tenants fit the one that is stable now."""
    place = {"plugin": deployment.plugin, "environment": deployment.environment}
    older = Hold.objects.filter(**place, cleared_at__isnull=True).exclude(deployment=deployment)
    held = enabled_installations(deployment.plugin, deployment.environment).filter(
        tenant_id__in=older.values("tenant_id")
    )
    misfits = [offender.tenant_id for offender in find_offenders(deployment.candidate, held)]
    ended = list(older.exclude(tenant_id__in=misfits).values_list("pk", flat=True))
    rows = Hold.objects.filter(pk__in=ended)
    if rows.update(cleared_at=timezone.now()):
        change.touch(rows)
