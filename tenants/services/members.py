"""Who may act for a tenant. A removed member stays as a tombstone, so that instances notice."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from hotswap.lib.errors import ConflictError, NotFoundError
from observability.audit import record_event
from plugins.generation import credential_change
from tenants.models import MemberRole, Tenant, TenantMember
from tenants.services.installations import refuse_suspended

OWN_TENANT = "tenants.own_tenant"


def add_member(*, tenant: Tenant, user: Any, by: Any, role: str = MemberRole.OWNER) -> TenantMember:
    """Let the user act for the tenant; a member who has another role gets this one."""
    refuse_suspended(tenant)
    if not user.is_active:
        raise ConflictError(f"user {user.get_username()} is disabled; enable the account first")
    member = _find(tenant, user)
    if member is not None and member.role == role:
        return member
    with credential_change() as change:
        member = _set_role(tenant, user, role, member)
        change.touch(member)
        _record(tenant, "added", user, role, by)
    return member


def remove_member(*, tenant: Tenant, user: Any, by: Any) -> None:
    """Take the user's rights away. The last owner stays: nobody could add another one."""
    with credential_change() as change:
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        member = _find(tenant, user)
        if member is None:
            raise NotFoundError(f"{user.get_username()} is not a member of tenant {tenant}")
        _refuse_last_owner(tenant, member)
        member.removed_at = timezone.now()
        member.save(update_fields=["removed_at"])
        change.touch(member)
        remove_perm(OWN_TENANT, user, tenant)
        _record(tenant, "removed", user, member.role, by)


def _find(tenant: Tenant, user: Any) -> TenantMember | None:
    members = TenantMember.objects.for_tenant(tenant)
    found: TenantMember | None = members.filter(user=user, removed_at__isnull=True).first()
    return found


def _set_role(tenant: Tenant, user: Any, role: str, member: TenantMember | None) -> TenantMember:
    if member is None:
        member = _create(tenant, user, role)
    else:
        if role != MemberRole.OWNER:
            _refuse_last_owner(tenant, member)
        member.role = role
        member.save(update_fields=["role"])
    grant = assign_perm if role == MemberRole.OWNER else remove_perm
    grant(OWN_TENANT, user, tenant)
    return member


def _create(tenant: Tenant, user: Any, role: str) -> TenantMember:
    try:
        with transaction.atomic():
            return TenantMember.objects.create(tenant=tenant, user=user, role=role)
    except IntegrityError as error:
        raise ConflictError(
            f"{user.get_username()} was added to tenant {tenant} at the same moment; look again"
        ) from error


def _refuse_last_owner(tenant: Tenant, member: TenantMember) -> None:
    if member.role != MemberRole.OWNER:
        return
    owners = TenantMember.objects.for_tenant(tenant).filter(
        role=MemberRole.OWNER, removed_at__isnull=True
    )
    if not owners.exclude(pk=member.pk).exists():
        raise ConflictError(
            f"{member.user} is the last owner of tenant {tenant}; add another owner first",
            code="last_owner",
        )


def _record(tenant: Tenant, action: str, user: Any, role: str, by: Any) -> None:
    record_event(
        actor=by.get_username(),
        action=f"member.{action}",
        object_type="tenant",
        object_id=tenant.slug,
        tenant_id=tenant.pk,
        after={"user": user.get_username(), "role": role},
    )
