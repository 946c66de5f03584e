"""Who did what: one event in the transaction of each change."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from hotswap.lib.database import scope_all
from hotswap.lib.traces import current_trace_id
from observability.models import AuditEvent

# A slip in a caller must not put one of these in a table that nobody may clean.
_NEVER_KEPT = frozenset({"password", "secret", "value", "token", "key", "ciphertext", "plaintext"})


def record_event(
    *,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    tenant_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Call it in the transaction of the change; ``before`` and ``after`` are JSON, no secrets."""
    # Events of the platform belong to no tenant, and a tenant's own user may cause one.
    with scope_all():
        AuditEvent.objects.create(
            actor=actor,
            action=action,
            object_type=object_type,
            object_id=object_id,
            tenant_id=tenant_id,
            before=_without_secrets(before),
            after=_without_secrets(after),
            trace_id=current_trace_id(),
        )


def record_for_tenants(tenant_ids: Iterable[UUID], **event: Any) -> None:
    """The same event in the audit of each tenant; arguments as for ``record_event``."""
    before, after = (_without_secrets(event.pop(name, None)) for name in ("before", "after"))
    event |= {"before": before, "after": after, "trace_id": current_trace_id()}
    rows = [AuditEvent(tenant_id=tenant_id, **event) for tenant_id in tenant_ids]
    with scope_all():
        AuditEvent.objects.bulk_create(rows, batch_size=1_000)


def _without_secrets(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: "***" if name in _NEVER_KEPT else value for name, value in values.items()}
