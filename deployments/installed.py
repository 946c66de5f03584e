"""A tenant's installations as its page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Prefetch

from deployments.routing import Rule
from deployments.serving import Serving, serving_of_all
from tenants.models import Tenant, TenantPluginConfig, TenantSecret

# The badge's state and what it means; a pin and a hold carry their own reason.
_SHOWN: Mapping[Rule, tuple[str, str]] = {
    Rule.KILLED: ("killed", "An administrator has stopped it for everybody."),
    Rule.DISABLED: ("disabled", "Calls answer that the plugin is disabled."),
    Rule.PIN: ("pinned", ""),
    Rule.HOLD: ("held", ""),
    Rule.ADMISSION: ("candidate", "A deployment under way has come to you."),
    Rule.STABLE: ("stable", "What every tenant gets there."),
    Rule.UNDEPLOYED: ("not deployed", "Calls answer that nothing is ready yet."),
}


@dataclass(frozen=True, slots=True)
class InstalledRow:
    installation: TenantPluginConfig
    serving: Serving

    @property
    def state(self) -> str:
        return _SHOWN[self.serving.why][0]

    @property
    def words(self) -> str:
        return _SHOWN[self.serving.why][1] or self.serving.detail

    @property
    def requests_per_minute(self) -> int:
        chosen = self.installation.requests_per_minute
        return settings.DEFAULT_REQUESTS_PER_MINUTE if chosen is None else chosen

    @property
    def concurrency(self) -> int:
        chosen = self.installation.concurrency
        return settings.DEFAULT_CONCURRENCY if chosen is None else chosen

    @property
    def has_default_limits(self) -> bool:
        return self.installation.requests_per_minute is None and (
            self.installation.concurrency is None
        )

    @property
    def settings_count(self) -> int:
        config = self.installation.config
        return len(config) if isinstance(config, dict) else 0


def installed_plugins(tenant: Tenant) -> list[InstalledRow]:
    installations = _installations(tenant)
    serving = serving_of_all(installations)
    return [InstalledRow(each, serving[each.pk]) for each in installations]


def _installations(tenant: Tenant) -> list[TenantPluginConfig]:
    # Of a secret nothing but its name and date is read.
    secrets = TenantSecret.objects.for_tenant(tenant).only("key", "updated_at", "installation_id")
    return list(
        TenantPluginConfig.objects.for_tenant(tenant)
        .select_related("plugin__replacement", "environment", "pinned_version")
        .prefetch_related(Prefetch("secrets", secrets.order_by("key")))
        .order_by("plugin__name", "environment__position")
    )
