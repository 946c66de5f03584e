"""One tenant's use of one plugin in one environment: enabled or not, config, pin, quotas."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from hotswap.lib.errors import ConflictError, InvalidInputError
from hotswap.lib.revisions import check_revision
from observability.audit import record_event
from plugins.generation import Change, routable_change
from plugins.jsonvalues import JsonRefusedError, check_json
from plugins.models import LOADABLE, Environment, Plugin, PluginVersion, VersionStatus
from tenants.models import Tenant, TenantPluginConfig, TenantStatus
from tenants.quotas import check_quotas
from tenants.signals import epoch_changed

MAX_CONFIG_BYTES = 64 * 1024
MAX_CONFIG_DEPTH = 20
MAX_REASON_CHARACTERS = 200
PINNABLE = (VersionStatus.APPROVED, VersionStatus.DEPRECATED)
NO_PIN: dict[str, Any] = {"pinned_version": None, "pin_reason": "", "pin_expires_at": None}


@dataclass(frozen=True, slots=True)
class Edit:
    """An installation under lock, inside the routable change that numbers what is done to it."""

    row: TenantPluginConfig
    change: Change
    by: Any

    def save(self, action: str, **values: Any) -> None:
        """Set the columns, move the revision on and write down who did it."""
        before = {name: _plain(getattr(self.row, name)) for name in values}
        for name, value in values.items():
            setattr(self.row, name, value)
        self.row.revision += 1
        self.row.save(update_fields=[*values, "revision", "updated_at"])
        self.change.touch(self.row)
        after = {name: _plain(value) for name, value in values.items()}
        record_installation(self.row, action, self.by, before, after)

    def move_epoch(self) -> None:
        """What the plugin's processes hold of this installation is outdated from now on."""
        self.row.epoch += 1
        self.row.save(update_fields=["epoch"])
        self.change.touch(self.row)
        epoch_changed.send(TenantPluginConfig, installation=self.row, change=self.change)


@contextmanager
def edit_installation(
    installation: TenantPluginConfig, *, by: Any, if_revision: int | None = None
) -> Iterator[Edit]:
    """One transaction about one installation, refused when the caller saw an older revision."""
    with routable_change(installation.environment) as change:
        rows = TenantPluginConfig.objects.select_for_update(of=("self",))
        row = rows.select_related("tenant", "plugin", "environment").get(pk=installation.pk)
        check_revision(f"Installation {row}", if_revision, row.revision)
        yield Edit(row, change, by)


def enable_installation(
    *,
    tenant: Tenant,
    plugin: Plugin,
    environment: Environment,
    by: Any,
    config: Mapping[str, Any] | None = None,
) -> TenantPluginConfig:
    """Install the plugin, or enable it again; what was configured before is kept unless given."""
    refuse_suspended(tenant)
    if not plugin.is_active:
        raise ConflictError(
            f"plugin {plugin} is not active; ask an Admin to activate it", code="plugin_disabled"
        )
    values: dict[str, Any] = {} if config is None else {"config": check_config(config)}
    installation, created = _get_or_install(tenant, plugin, environment, by, values)
    if created or (installation.is_enabled and not values):
        return installation
    with edit_installation(installation, by=by) as edit:
        edit.save("enabled", is_enabled=True, **values)
        if values:
            edit.move_epoch()
    return edit.row


def disable_installation(*, installation: TenantPluginConfig, by: Any) -> TenantPluginConfig:
    """Calls are refused from now on; config, secrets and pin stay."""
    if not installation.is_enabled:
        return installation
    with edit_installation(installation, by=by) as edit:
        edit.save("disabled", is_enabled=False)
    return edit.row


def set_config(
    *,
    installation: TenantPluginConfig,
    config: Mapping[str, Any],
    by: Any,
    if_revision: int | None = None,
) -> TenantPluginConfig:
    """Replace the config. Whether it fits a version's schema is for whoever knows the version."""
    refuse_suspended(installation.tenant)
    checked = check_config(config)
    with edit_installation(installation, by=by, if_revision=if_revision) as edit:
        edit.save("configured", config=checked)
        edit.move_epoch()
    return edit.row


def pin_installation(
    *,
    installation: TenantPluginConfig,
    version: PluginVersion,
    reason: str,
    by: Any,
    expires_at: datetime | None = None,
    if_revision: int | None = None,
) -> TenantPluginConfig:
    """Keep the tenant on a loadable version, until ``expires_at`` or until it is unpinned."""
    refuse_suspended(installation.tenant)
    _refuse_pin(installation, version, reason, expires_at)
    with edit_installation(installation, by=by, if_revision=if_revision) as edit:
        edit.save(
            "pinned", pinned_version=version, pin_reason=reason.strip(), pin_expires_at=expires_at
        )
    return edit.row


def unpin_installation(
    *, installation: TenantPluginConfig, by: Any, if_revision: int | None = None
) -> TenantPluginConfig:
    """Let the tenant follow the stable version again."""
    with edit_installation(installation, by=by, if_revision=if_revision) as edit:
        if edit.row.pinned_version_id is not None:
            edit.save("unpinned", **NO_PIN)
    return edit.row


def set_quotas(
    *,
    installation: TenantPluginConfig,
    requests_per_minute: int | None,
    concurrency: int | None,
    by: Any,
    if_revision: int | None = None,
) -> TenantPluginConfig:
    """Limits of the installation; None is the platform's default, 0 lets no call through."""
    check_quotas(requests_per_minute, concurrency)
    with edit_installation(installation, by=by, if_revision=if_revision) as edit:
        edit.save("quotas_set", requests_per_minute=requests_per_minute, concurrency=concurrency)
    return edit.row


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object within bounds, whatever a schema says."""
    if not isinstance(config, Mapping):
        raise InvalidInputError(
            "config must be a JSON object", fields={"config": ["must be a JSON object"]}
        )
    try:
        check_json(dict(config), max_bytes=MAX_CONFIG_BYTES, max_depth=MAX_CONFIG_DEPTH)
    except JsonRefusedError as refusal:
        place = f"config.{refusal.path}" if refusal.path else "config"
        raise InvalidInputError(
            f"{place} {refusal.reason}", fields={place: [refusal.reason]}
        ) from refusal
    return dict(config)


def refuse_suspended(tenant: Tenant) -> None:
    if tenant.status != TenantStatus.ACTIVE:
        raise ConflictError(
            f"tenant {tenant} is {tenant.status}; ask an Admin to resume it",
            code=f"tenant_{tenant.status}",
        )


def record_installation(
    row: TenantPluginConfig,
    action: str,
    by: Any,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """The audit event of a change; ``after`` says which plugin and where, beside what changed."""
    where = {"plugin": row.plugin.name, "environment": row.environment.name}
    record_event(
        actor=by.get_username(),
        action=f"installation.{action}",
        object_type="installation",
        object_id=str(row.pk),
        tenant_id=row.tenant_id,
        before=before,
        after={**where, **(after or {})},
    )


def _get_or_install(
    tenant: Tenant, plugin: Plugin, environment: Environment, by: Any, values: dict[str, Any]
) -> tuple[TenantPluginConfig, bool]:
    place = {"tenant": tenant, "plugin": plugin, "environment": environment}
    found = TenantPluginConfig.objects.filter(**place).first()
    if found is not None:
        return found, False
    try:
        with transaction.atomic(), routable_change(environment) as change:
            created = TenantPluginConfig.objects.create(**place, **values)
            change.touch(created)
            record_installation(created, "enabled", by, after={"is_enabled": True})
    except IntegrityError:
        # Somebody installed it at the same moment.
        return TenantPluginConfig.objects.get(**place), False
    return created, True


def _refuse_pin(
    installation: TenantPluginConfig,
    version: PluginVersion,
    reason: str,
    expires_at: datetime | None,
) -> None:
    problems: dict[str, list[str]] = {}
    if version.plugin_id != installation.plugin_id:
        problems["version"] = [f"is of plugin {version.plugin}, not of {installation.plugin}"]
    if not reason.strip() or len(reason) > MAX_REASON_CHARACTERS:
        problems["reason"] = [f"must be a text of at most {MAX_REASON_CHARACTERS} characters"]
    if expires_at is not None and expires_at <= timezone.now():
        problems["expires_at"] = ["must lie in the future"]
    if problems:
        raise InvalidInputError(f"The pin is not accepted: {', '.join(problems)}.", fields=problems)
    # What pins a yanked version exactly may keep it, with another reason or date (PEP 592).
    is_kept = version.pk == installation.pinned_version_id
    allowed = LOADABLE if is_kept else PINNABLE
    if version.status not in allowed:
        raise ConflictError(
            f"{version} is {version.status} and cannot be pinned; choose an approved version",
            code=f"version_{version.status}",
        )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, bool | int | dict | None) else str(value)
