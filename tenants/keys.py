"""Keys that act for a tenant, whoever holds them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from plugins.api_keys import create_tenant_key
from plugins.models import ApiKey, Environment
from tenants.models import Tenant


def issue_key(
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[str],
    by: Any,
    expires_at: datetime | None = None,
    environment: Environment | None = None,
) -> tuple[ApiKey, str]:
    """The row, and the key itself, which nobody can read again. The caller checks who asks."""
    return create_tenant_key(
        tenant_id=tenant.pk,
        name=name,
        scopes=scopes,
        by=by,
        expires_at=expires_at,
        environment=environment,
    )
