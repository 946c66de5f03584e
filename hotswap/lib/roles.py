"""The roles of DESIGN section 8: groups for platform staff, membership for tenants."""

from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Names of the groups. An Admin is a superuser and in no group."""

    VIEWER = "Viewer"
    DEVELOPER = "Developer"
    APPROVER = "Approver"


def is_admin(user: Any) -> bool:
    return bool(user.is_active and user.is_superuser)


def has_role(user: Any, *roles: Role) -> bool:
    """Whether ``user`` is an Admin or in one of the groups. One query a user, then cached."""
    return is_admin(user) or bool(_group_names(user) & set(roles))


def is_staff(user: Any) -> bool:
    """Whether ``user`` belongs to the platform rather than to a tenant."""
    return has_role(user, *Role)


def _group_names(user: Any) -> frozenset[str]:
    if not user.is_active:
        return frozenset()
    if not hasattr(user, "_group_names"):
        user._group_names = frozenset(user.groups.values_list("name", flat=True))
    return user._group_names  # type: ignore[no-any-return]


def role_name(user: Any) -> str:
    """The user's place on the platform in one word, for tokens and logs; never for a decision."""
    if is_admin(user):
        return "Admin"
    return next((role for role in reversed(Role) if has_role(user, role)), "Member")
