"""Where every tenant-owned query starts."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from tenants.models import Tenant


class TenantQuerySet(models.QuerySet[Any]):
    def existing(self) -> Self:
        """Without those whose key is destroyed and whose row only remembers them."""
        return self.exclude(status="deleted")

    def for_member(self, user: Any) -> Self:
        """The tenants that ``user`` belongs to."""
        return self.filter(members__user=user, members__removed_at__isnull=True)


class TenantOwnedQuerySet(models.QuerySet[Any]):
    def for_tenant(self, tenant: "Tenant") -> Self:
        return self.filter(tenant=tenant)


class InstallationQuerySet(TenantOwnedQuerySet):
    def in_environment(self, environment: Any) -> Self:
        return self.filter(environment=environment)

    def enabled(self) -> Self:
        return self.filter(is_enabled=True)
