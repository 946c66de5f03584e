from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.models import Admission, Hold, PlacementState
from deployments.serving import serving_of
from deployments.usage import usage_of
from tenants.models import TenantPluginConfig, TenantStatus
from tests.factories import (
    environment,
    make_deployment,
    make_installation,
    make_instance,
    make_placement,
    make_plugin,
    make_route,
    make_tenant,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def echo(bob):
    return make_plugin("echo", owner=bob)


@pytest.fixture
def stable(echo):
    version = make_version(echo, "1.0.0")
    make_route(echo, stable=version)
    return version


def installed(slug, plugin, **fields):
    return make_installation(make_tenant(slug), plugin, **fields)


def asked_one_by_one(plugin):
    rows = TenantPluginConfig.objects.filter(plugin=plugin)
    return Counter(serving_of(installation).version.version for installation in rows)


def counts(plugin, env="qa"):
    found = {use.environment.name: use for use in usage_of(plugin, timezone.now())}
    return {each.version.version: each.tenants for each in found[env].versions}


def test_a_plugin_that_runs_nowhere_has_no_use(echo):
    assert usage_of(echo, timezone.now()) == []


def test_every_enabled_tenant_counts_for_the_stable_version(echo, stable):
    for number in range(3):
        installed(f"tenant-{number}", echo)
    installed("sleeper", echo, is_enabled=False)
    assert counts(echo) == {"1.0.0": 3}


def test_a_suspended_tenant_does_not_count(echo, stable):
    gone = installed("gone", echo).tenant
    gone.status = TenantStatus.SUSPENDED
    gone.save()
    assert counts(echo) == {"1.0.0": 0}


def test_pins_holds_and_admissions_come_before_stable(echo, stable):
    old, new = make_version(echo, "0.9.0"), make_version(echo, "1.1.0")
    now = timezone.now()
    installed("pinned", echo, pinned_version=old, pin_reason="audit")
    expired = {"pin_reason": "audit", "pin_expires_at": now - timedelta(hours=1)}
    installed("expired", echo, pinned_version=old, **expired)
    held, admitted = installed("held", echo).tenant, installed("admitted", echo).tenant
    Hold.objects.create(
        tenant=held, plugin=echo, environment=environment(), version=old, reason="config"
    )
    deployment = make_deployment(new, incumbent=stable)
    echo.routes.update(candidate=new, deployment=deployment)
    for tenant in (held, admitted):
        Admission.objects.create(deployment=deployment, tenant=tenant, step=1)
    assert counts(echo) == {"1.1.0": 1, "1.0.0": 1, "0.9.0": 2}
    assert counts(echo) == asked_one_by_one(echo)


def test_a_cleared_hold_and_a_closed_admission_count_for_nothing(echo, stable):
    new, now = make_version(echo, "1.1.0"), timezone.now()
    tenant = installed("acme", echo).tenant
    Hold.objects.create(
        tenant=tenant,
        plugin=echo,
        environment=environment(),
        version=new,
        reason="config",
        cleared_at=now,
    )
    deployment = make_deployment(new, incumbent=stable)
    echo.routes.update(candidate=new, deployment=deployment)
    Admission.objects.create(deployment=deployment, tenant=tenant, step=1, closed_at=now)
    assert counts(echo) == {"1.1.0": 0, "1.0.0": 1}


def test_environments_are_counted_apart(echo, stable):
    make_route(echo, stable=stable, env="staging")
    installed("here", echo)
    installed("there", echo, env="staging")
    assert counts(echo) == counts(echo, "staging") == {"1.0.0": 1}


def test_a_version_that_only_an_instance_holds_is_shown(echo):
    version = make_version(echo, "1.0.0")
    make_placement(make_instance(), version, state=PlacementState.FAILED)
    (use,) = usage_of(echo, timezone.now())
    assert use.route is None
    assert use.versions[0].roles == ()
    assert [each.state for each in use.versions[0].placements] == ["failed"]


def test_more_tenants_are_no_more_queries(echo, stable, django_assert_num_queries):
    installed("tenant-0", echo)
    with django_assert_num_queries(6) as few:
        usage_of(echo, timezone.now())
    for number in range(1, 12):
        installed(f"tenant-{number}", echo)
    with django_assert_num_queries(len(few.captured_queries)):
        usage_of(echo, timezone.now())
