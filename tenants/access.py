"""Which tenant somebody may act for. Another's is not forbidden: for them it does not exist."""

from typing import Any

from hotswap.lib.errors import ForbiddenError, NotFoundError
from hotswap.lib.roles import is_admin
from tenants.models import MemberRole, Tenant, TenantMember


def find_tenant(slug: str) -> Tenant:
    """The tenant if the connection's scope has it: staff's has all, a member's their own."""
    tenants = Tenant.objects.existing().select_related("home_environment")
    tenant: Tenant | None = tenants.filter(slug=slug).first()
    if tenant is None:
        raise NotFoundError(f"There is no tenant {slug[:60]!r} for you.")
    return tenant


def find_own_tenant(user: Any, slug: str) -> Tenant:
    """The tenant for its owners and Admins; whoever else can see it is told that they may not."""
    tenant = find_tenant(slug)
    if not (is_admin(user) or is_owner(user, tenant)):
        raise ForbiddenError(f"Only an owner of tenant {tenant} or an Admin may do this.")
    return tenant


def is_owner(user: Any, tenant: Tenant) -> bool:
    """Whether the user owns the tenant; whoever came with a tenant's key owns nothing."""
    if user.pk is None:
        return False
    owners = TenantMember.objects.for_tenant(tenant).filter(
        role=MemberRole.OWNER, removed_at__isnull=True
    )
    return bool(owners.filter(user_id=user.pk).exists())
