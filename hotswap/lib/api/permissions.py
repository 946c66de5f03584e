"""One permission class per capability of DESIGN section 8 that needs no model.

Those about one object (own plugin, own tenant) live in the app that has the object.
"""

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from hotswap.lib.roles import Role, has_role, is_admin, is_staff


class _ByRole(BasePermission):
    """Admins always, and whoever is in one of ``roles``."""

    roles: ClassVar[tuple[Role, ...]] = ()

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and has_role(request.user, *self.roles)


class CanAdminister(_ByRole):
    message = "Only an Admin may do this."


class CanRegisterPlugins(_ByRole):
    message = "Only a Developer or an Admin may register, upload or download plugins."
    roles = (Role.DEVELOPER,)


class CanApproveVersions(_ByRole):
    message = "Only an Approver or an Admin may decide about versions."
    roles = (Role.APPROVER,)


class CanRequestDeployments(_ByRole):
    message = "Only a Developer or an Admin may deploy."
    roles = (Role.DEVELOPER,)


class CanSteerDeployments(_ByRole):
    message = "Only an Approver, an Admin or whoever requested the deployment may do this."
    roles = (Role.APPROVER,)


class IsPlatformStaff(BasePermission):
    message = "Only the platform's staff may see this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and is_staff(request.user)


class IsAdminOrReadOnly(BasePermission):
    message = "Only an Admin may change this."

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return bool(request.user.is_authenticated)
        return is_admin(request.user)
