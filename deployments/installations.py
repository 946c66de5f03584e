"""What changes an installation and needs to know what runs: its schema, what may be pinned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from deployments.admissions import config_schema
from deployments.models import Deployment, Route, Status
from deployments.models.deployment import ACTIVE
from deployments.serving import serving_of
from hotswap.lib.errors import ConflictError, InvalidInputError, NotFoundError
from plugins.models import Environment, Plugin, PluginVersion
from plugins.schemas import compile_schema
from tenants import services
from tenants.models import Tenant, TenantPluginConfig


def find_installation(
    tenant: Tenant, plugin_name: str, environment: Environment
) -> TenantPluginConfig:
    rows = TenantPluginConfig.objects.for_tenant(tenant).select_related(
        "tenant", "plugin", "environment", "pinned_version__plugin"
    )
    found: TenantPluginConfig | None = rows.filter(
        plugin__name=plugin_name, environment=environment
    ).first()
    if found is None:
        raise NotFoundError(
            f"Plugin {plugin_name[:60]!r} is not installed for tenant {tenant} in {environment}; "
            "enable it first."
        )
    return found


def enable_plugin(
    *,
    tenant: Tenant,
    plugin: Plugin,
    environment: Environment,
    by: Any,
    config: Mapping[str, Any] | None = None,
) -> TenantPluginConfig:
    """Enable the plugin for the tenant, with a config that the stable version accepts."""
    route = _find_route(plugin, environment)
    if route is not None and route.is_killed:
        raise ConflictError(
            f"plugin {plugin} is killed in {environment}; ask an Admin to unkill it",
            code="plugin_killed",
        )
    before = TenantPluginConfig.objects.for_tenant(tenant).filter(
        plugin=plugin, environment=environment
    )
    known = (
        config if config is not None else (before.values_list("config", flat=True).first() or {})
    )
    if route is not None and route.stable is not None:
        check_config_fits(known, route.stable)
    return services.enable_installation(
        tenant=tenant, plugin=plugin, environment=environment, by=by, config=config
    )


def change_config(
    *,
    installation: TenantPluginConfig,
    config: Mapping[str, Any],
    by: Any,
    if_revision: int | None = None,
) -> TenantPluginConfig:
    """Replace the config by one that fits the version that serves the tenant now."""
    version = serving_of(installation).version or _stable_of(installation)
    checked = services.check_config(config)
    if version is not None:
        check_config_fits(checked, version)
    return services.set_config(
        installation=installation, config=checked, by=by, if_revision=if_revision
    )


def pin_version(
    *,
    installation: TenantPluginConfig,
    version: str,
    reason: str,
    by: Any,
    expires_at: datetime | None = None,
    if_revision: int | None = None,
) -> TenantPluginConfig:
    """Pin to a version that was proven there: one that is or was stable, or is being deployed."""
    row = PluginVersion.objects.filter(plugin=installation.plugin, version=version).first()
    if row is None:
        reason = f"plugin {installation.plugin} has no version {version[:40]}"
        raise InvalidInputError(f"{reason}.", fields={"version": [reason]})
    if not _is_proven(row, installation.environment):
        raise ConflictError(
            f"{row} was never stable in {installation.environment} and is not being deployed "
            "there; deploy it first",
            code="version_not_proven",
        )
    return services.pin_installation(
        installation=installation,
        version=row,
        reason=reason,
        by=by,
        expires_at=expires_at,
        if_revision=if_revision,
    )


def check_config_fits(config: Mapping[str, Any], version: PluginVersion) -> None:
    """Raise ``InvalidInputError`` naming each part that the version's schema refuses."""
    problems = compile_schema(config_schema(version)).validate(dict(config))
    if problems:
        fields: dict[str, list[str]] = {}
        for path, message in problems:
            fields.setdefault(f"config.{path}" if path else "config", []).append(message)
        first = next(iter(fields))
        raise InvalidInputError(
            f"The config does not fit {version}: {first}: {fields[first][0]}.",
            code="config_invalid",
            fields=fields,
        )


def _is_proven(version: PluginVersion, environment: Environment) -> bool:
    there = Deployment.objects.filter(environment=environment)
    brought_it = Q(candidate=version, status__in=(Status.COMPLETED, *ACTIVE))
    if there.filter(brought_it | Q(incumbent=version)).exists():
        return True
    return Route.objects.filter(environment=environment, stable=version).exists()


def _stable_of(installation: TenantPluginConfig) -> PluginVersion | None:
    route = _find_route(installation.plugin, installation.environment)
    return route.stable if route else None


def _find_route(plugin: Plugin, environment: Environment) -> Route | None:
    routes = Route.objects.filter(plugin=plugin, environment=environment)
    return routes.select_related("stable").first()
