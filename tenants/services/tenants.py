"""A tenant from its first day to the destruction of its key."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from guardian.shortcuts import remove_perm

from hotswap.lib.errors import ConflictError, InvalidInputError
from observability.audit import record_event
from plugins.generation import credential_change
from plugins.models import ApiKey, Environment, validate_name
from tenants.models import Tenant, TenantMember, TenantPluginConfig, TenantStatus
from tenants.secrets import destroy_data_key
from tenants.services.installations import NO_PIN, edit_installation
from tenants.services.members import OWN_TENANT

MAX_SLUG_CHARACTERS = 60
MAX_NAME_CHARACTERS = 120
# The address of a deleted tenant is free again; its row is kept under a name nobody can take.
GONE = "gone-"


def create_tenant(*, slug: str, name: str, home_environment: Environment, by: Any) -> Tenant:
    """Raises ``InvalidInputError`` for a bad slug or name, ``ConflictError`` if it is taken."""
    _check(slug, name)
    try:
        with credential_change() as change:
            tenant = Tenant.objects.create(
                slug=slug, name=name.strip(), home_environment=home_environment
            )
            change.touch(tenant)
            _record(tenant, "created", by, after=_shown(tenant))
    except IntegrityError as error:
        raise ConflictError(
            f"there is a tenant {slug} already; choose another slug", code="name_taken"
        ) from error
    return tenant


def update_tenant(
    *, tenant: Tenant, by: Any, name: str | None = None, home_environment: Environment | None = None
) -> Tenant:
    """Change the name or the home environment, whichever is given."""
    with credential_change() as change:
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = _shown(row)
        row.name = row.name if name is None else name.strip()
        row.home_environment = home_environment or row.home_environment
        _check(row.slug, row.name)
        row.save(update_fields=["name", "home_environment"])
        change.touch(row)
        _record(row, "updated", by, before, _shown(row))
    return row


def suspend_tenant(*, tenant: Tenant, by: Any) -> Tenant:
    """Refuse the tenant's calls and changes until it is resumed."""
    return _move(tenant, TenantStatus.ACTIVE, TenantStatus.SUSPENDED, "suspended", by)


def resume_tenant(*, tenant: Tenant, by: Any) -> Tenant:
    return _move(tenant, TenantStatus.SUSPENDED, TenantStatus.ACTIVE, "resumed", by)


def delete_tenant(*, tenant: Tenant, by: Any) -> None:
    """End every right and every installation and destroy the key; what happened stays recorded."""
    with transaction.atomic():
        installations = TenantPluginConfig.objects.for_tenant(tenant).select_related("environment")
        destroy_data_key(tenant)
        # In one order for everybody: each environment's row stays locked until the commit.
        for installation in installations.order_by("environment_id", "pk"):
            with edit_installation(installation, by=by) as edit:
                edit.save("deleted", is_enabled=False, config={}, **NO_PIN)
                edit.move_epoch()
        _end_credentials(tenant, by)


def _end_credentials(tenant: Tenant, by: Any) -> None:
    now = timezone.now()
    members = TenantMember.objects.for_tenant(tenant).filter(removed_at__isnull=True)
    for member in members.select_related("user"):
        remove_perm(OWN_TENANT, member.user, tenant)
    with credential_change() as change:
        keys = ApiKey.objects.filter(tenant_id=tenant.pk)
        keys.filter(revoked_at__isnull=True).update(revoked_at=now)
        members.update(removed_at=now)
        change.touch(keys, TenantMember.objects.for_tenant(tenant), tenant)
        _record(tenant, "deleted", by, before=_shown(tenant))
        Tenant.objects.filter(pk=tenant.pk).update(
            slug=f"{GONE}{tenant.pk.hex}", name="", status=TenantStatus.DELETED
        )


def _move(tenant: Tenant, source: str, target: str, action: str, by: Any) -> Tenant:
    with credential_change() as change:
        moved = Tenant.objects.filter(pk=tenant.pk, status=source).update(status=target)
        if moved:
            change.touch(tenant)
            _record(tenant, action, by, {"status": source}, {"status": target})
    tenant.refresh_from_db()
    return tenant


def _check(slug: str, name: str) -> None:
    problems: dict[str, list[str]] = {}
    try:
        validate_name(slug)
    except ValidationError as error:
        problems["slug"] = list(error.messages)
    if len(slug) > MAX_SLUG_CHARACTERS or slug.startswith(GONE):
        problems["slug"] = [f"must have at most {MAX_SLUG_CHARACTERS} characters, not {GONE}…"]
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS:
        problems["name"] = [f"must be a text of at most {MAX_NAME_CHARACTERS} characters"]
    if problems:
        raise InvalidInputError(
            f"The tenant is not accepted: {', '.join(problems)}.", fields=problems
        )


def _shown(tenant: Tenant) -> dict[str, Any]:
    return {"name": tenant.name, "home_environment": tenant.home_environment.name}


def _record(
    tenant: Tenant,
    action: str,
    by: Any,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record_event(
        actor=by.get_username(),
        action=f"tenant.{action}",
        object_type="tenant",
        object_id=tenant.slug,
        tenant_id=tenant.pk,
        before=before,
        after=after,
    )
