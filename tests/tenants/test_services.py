"""Tenants, members and installations as rows: numbered, audited, refused by name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hotswap.lib.errors import ConflictError, InvalidInputError, NotFoundError, StaleError
from observability.models import AuditEvent
from plugins.models import ApiKey, VersionStatus
from tenants import services
from tenants.models import MemberRole, Tenant, TenantMember, TenantPluginConfig
from tenants.quotas import quotas_of
from tests.factories import (
    credentials_number,
    environment,
    make_api_key,
    make_plugin,
    make_version,
)


def _actions():
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))


def test_a_tenant_is_made_with_its_number_and_its_event(ada, db):
    before = credentials_number()
    tenant = services.create_tenant(
        slug="initech", name="Initech", home_environment=environment(), by=ada
    )
    tenant.refresh_from_db()
    assert tenant.generation == credentials_number() == before + 1
    assert _actions() == ["tenant.created"]


@pytest.mark.parametrize("slug", ["", "Acme", "a b", "-a", "a--b", "ä", "gone-1", "a" * 61])
def test_a_bad_slug_is_refused(ada, slug):
    with pytest.raises(InvalidInputError) as refusal:
        services.create_tenant(slug=slug, name="A", home_environment=environment(), by=ada)
    assert "slug" in refusal.value.fields


def test_a_slug_is_taken_once(ada, acme):
    with pytest.raises(ConflictError, match="acme"):
        services.create_tenant(slug="acme", name="A", home_environment=environment(), by=ada)
    assert Tenant.objects.count() == 1


def test_the_address_of_a_deleted_tenant_is_free_again(ada, acme):
    services.delete_tenant(tenant=acme, by=ada)
    services.create_tenant(slug="acme", name="Another", home_environment=environment(), by=ada)
    assert Tenant.objects.existing().get().name == "Another"


def test_a_deleted_tenant_leaves_no_right_behind(ada, alice, acme, installation):
    _, secret = make_api_key(tenant=acme)
    services.delete_tenant(tenant=acme, by=ada)
    assert secret
    assert not ApiKey.objects.filter(revoked_at__isnull=True).exists()
    assert not TenantMember.objects.filter(removed_at__isnull=True).exists()
    assert not alice.has_perm("tenants.own_tenant", acme)
    assert not TenantPluginConfig.objects.enabled().exists()
    gone = Tenant.objects.get()
    assert gone.generation == credentials_number()


def test_suspending_and_resuming_is_repeatable(ada, acme):
    for _ in range(2):
        assert services.suspend_tenant(tenant=acme, by=ada).status == "suspended"
    for _ in range(2):
        assert services.resume_tenant(tenant=acme, by=ada).status == "active"
    assert _actions() == ["tenant.suspended", "tenant.resumed"]


def test_an_owner_gets_the_object_permission_and_loses_it(ada, bob, acme):
    services.add_member(tenant=acme, user=bob, by=ada)
    assert type(bob).objects.get(pk=bob.pk).has_perm("tenants.own_tenant", acme)
    services.remove_member(tenant=acme, user=bob, by=ada)
    assert not type(bob).objects.get(pk=bob.pk).has_perm("tenants.own_tenant", acme)


def test_a_removed_member_stays_as_a_numbered_tombstone(ada, bob, acme):
    services.add_member(tenant=acme, user=bob, by=ada, role=MemberRole.CALLER)
    services.remove_member(tenant=acme, user=bob, by=ada)
    row = TenantMember.objects.get(user=bob)
    assert row.removed_at is not None
    assert row.generation == credentials_number()


def test_somebody_who_was_removed_can_come_back(ada, bob, acme):
    services.add_member(tenant=acme, user=bob, by=ada)
    services.remove_member(tenant=acme, user=bob, by=ada)
    services.add_member(tenant=acme, user=bob, by=ada)
    assert TenantMember.objects.filter(user=bob, removed_at__isnull=True).count() == 1


def test_adding_a_member_twice_changes_nothing(ada, bob, acme):
    services.add_member(tenant=acme, user=bob, by=ada)
    number = credentials_number()
    services.add_member(tenant=acme, user=bob, by=ada)
    assert credentials_number() == number


def test_the_last_owner_stays(ada, alice, acme):
    with pytest.raises(ConflictError, match="last owner"):
        services.remove_member(tenant=acme, user=alice, by=ada)
    with pytest.raises(ConflictError, match="last owner"):
        services.add_member(tenant=acme, user=alice, by=ada, role=MemberRole.CALLER)
    assert TenantMember.objects.get().role == MemberRole.OWNER


def test_a_disabled_user_is_not_added(ada, bob, acme):
    bob.is_active = False
    bob.save()
    with pytest.raises(ConflictError, match="disabled"):
        services.add_member(tenant=acme, user=bob, by=ada)


def test_who_is_no_member_is_not_removed(ada, bob, acme):
    with pytest.raises(NotFoundError, match="bob"):
        services.remove_member(tenant=acme, user=bob, by=ada)


def _enable(tenant, plugin, by, **options):
    return services.enable_installation(
        tenant=tenant, plugin=plugin, environment=environment(), by=by, **options
    )


def test_enabling_is_numbered_and_repeatable(acme, signer, alice):
    first = _enable(acme, signer, alice)
    assert _enable(acme, signer, alice).pk == first.pk
    first.refresh_from_db()
    assert first.generation == environment().generation
    assert _actions() == ["installation.enabled"]


def test_disabling_keeps_what_was_configured(installation, alice, acme, signer):
    services.set_config(installation=installation, config={"currency": "EUR"}, by=alice)
    services.disable_installation(installation=installation, by=alice)
    row = _enable(acme, signer, alice)
    assert (row.is_enabled, row.config) == (True, {"currency": "EUR"})


def test_a_plugin_that_is_not_active_is_not_enabled(acme, signer, alice):
    signer.is_active = False
    with pytest.raises(ConflictError) as refusal:
        _enable(acme, signer, alice)
    assert refusal.value.code == "plugin_disabled"
    assert not TenantPluginConfig.objects.exists()


def test_a_change_of_the_config_moves_epoch_revision_and_generation(installation, alice):
    row = services.set_config(installation=installation, config={"a": 1}, by=alice)
    assert (row.epoch, row.revision) == (2, 2)
    row.refresh_from_db()
    assert row.generation == environment().generation


def test_whoever_saw_an_older_revision_comes_too_late(installation, alice):
    services.set_config(installation=installation, config={"a": 1}, by=alice, if_revision=1)
    with pytest.raises(StaleError, match="revision 2"):
        services.set_config(installation=installation, config={"a": 2}, by=alice, if_revision=1)
    installation.refresh_from_db()
    assert installation.config == {"a": 1}


def _deep(levels):
    return {"a": _deep(levels - 1)} if levels else {}


@pytest.mark.parametrize("config", [[], "text", {"a": "x" * 70_000}, _deep(30)])
def test_a_config_is_a_bounded_object(installation, alice, config):
    with pytest.raises(InvalidInputError):
        services.set_config(installation=installation, config=config, by=alice)


def _pin(installation, version, by, **options):
    return services.pin_installation(
        installation=installation, version=version, by=by, **{"reason": "calm"} | options
    )


def test_a_pin_is_kept_with_its_reason_and_end(installation, signer, alice):
    until = timezone.now() + timedelta(hours=1)
    row = _pin(installation, signer.versions.get(), alice, expires_at=until)
    assert (row.pinned_version.version, row.pin_reason) == ("1.0.0", "calm")
    row = services.unpin_installation(installation=row, by=alice)
    assert (row.pinned_version, row.pin_reason, row.pin_expires_at) == (None, "", None)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "expires_at"),
    ],
)
def test_a_bad_pin_is_refused_by_the_name_of_its_field(installation, signer, alice, options, field):
    with pytest.raises(InvalidInputError) as refusal:
        _pin(installation, signer.versions.get(), alice, **options)
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("status", [VersionStatus.DRAFT, VersionStatus.REVOKED])
def test_only_a_version_that_may_be_loaded_is_pinned(installation, signer, alice, status):
    version = make_version(signer, "2.0.0", status=status)
    with pytest.raises(ConflictError, match=status):
        _pin(installation, version, alice)


def test_a_version_of_another_plugin_is_not_pinned(installation, alice):
    with pytest.raises(InvalidInputError):
        _pin(installation, make_version(make_plugin("other")), alice)


def test_quotas_are_the_platforms_until_they_are_set(installation, ada, settings):
    assert quotas_of(installation).concurrency == settings.DEFAULT_CONCURRENCY
    row = services.set_quotas(
        installation=installation, requests_per_minute=0, concurrency=None, by=ada
    )
    assert quotas_of(row).requests_per_minute == 0
    assert quotas_of(row).concurrency == settings.DEFAULT_CONCURRENCY


@pytest.mark.parametrize("value", [-1, 10_000_001])
def test_a_quota_out_of_range_is_refused(installation, ada, value):
    with pytest.raises(InvalidInputError) as refusal:
        services.set_quotas(
            installation=installation, requests_per_minute=value, concurrency=1, by=ada
        )
    assert list(refusal.value.fields) == ["requests_per_minute"]
