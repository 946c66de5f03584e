"""The admin's site: for Admins, who are superusers, and nobody else."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from hotswap.lib.roles import is_admin


class HotSwapAdminSite(UnfoldAdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Tenants' people marked as staff by mistake get nothing either."""
        return bool(request.user.is_staff) and is_admin(request.user)
