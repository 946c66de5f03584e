"""Which rows a request may see: the connection's scope follows from who is asking."""

from typing import Any

from django.db import connection

from hotswap.lib.database import ALL, scope_all
from hotswap.lib.roles import is_staff
from tenants.models import TenantMember


def scope_of(user: Any) -> str:
    """``all`` for platform staff, the ids of their tenants for members, empty for anybody else."""
    if not user.is_authenticated:
        return ""
    if is_staff(user):
        return ALL
    with scope_all():
        ids = TenantMember.objects.filter(user=user, removed_at__isnull=True)
        return ",".join(str(pk) for pk in ids.values_list("tenant_id", flat=True))


def enter_scope(value: str) -> None:
    """Give the rest of the request this scope; the middleware takes it away at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hotswap.scope', %s, false)", [value])
