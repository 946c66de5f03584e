"""A tenant's plugins: what is installed, configured, pinned and allowed."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deployments.routing import Rule
from deployments.serving import Serving
from hotswap.lib.api.serializers import StrictSerializer
from tenants.models import TenantPluginConfig, TenantSecret
from tenants.quotas import MAX_CONCURRENCY, MAX_REQUESTS_PER_MINUTE, quotas_of


class PinSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(source="pinned_version.version")
    reason = serializers.CharField(source="pin_reason")
    expires_at = serializers.DateTimeField(source="pin_expires_at", allow_null=True)


class LimitsSerializer(serializers.Serializer[Any]):
    requests_per_minute = serializers.IntegerField()
    concurrency = serializers.IntegerField()


class DeprecationSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(source="deprecation_reason")
    replacement = serializers.CharField(source="replacement.name", default=None, allow_null=True)


class InstallationSerializer(serializers.ModelSerializer[TenantPluginConfig]):
    """``version`` serves the tenant now, by the rule in ``why``; null when nothing does."""

    plugin = serializers.CharField(source="plugin.name", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    deprecation = serializers.SerializerMethodField(help_text="Of the plugin; null when none.")
    version = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    detail = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    config = serializers.DictField(read_only=True)
    pin = serializers.SerializerMethodField()
    quotas = serializers.SerializerMethodField()
    secrets = serializers.SerializerMethodField()

    class Meta:
        model = TenantPluginConfig
        fields = (
            *("plugin", "environment", "is_enabled", "version", "why", "detail", "warnings"),
            *(
                "deprecation",
                "config",
                "pin",
                "quotas",
                "secrets",
                "revision",
                "created_at",
                "updated_at",
            ),
        )
        read_only_fields = fields

    @extend_schema_field(DeprecationSerializer(allow_null=True))
    def get_deprecation(self, row: TenantPluginConfig) -> Any:
        return DeprecationSerializer(row.plugin).data if row.plugin.is_deprecated else None

    def get_version(self, row: TenantPluginConfig) -> str | None:
        version = self._serving(row).version
        return version.version if version else None

    @extend_schema_field(serializers.ChoiceField([str(rule) for rule in Rule]))
    def get_why(self, row: TenantPluginConfig) -> str:
        return str(self._serving(row).why)

    def get_detail(self, row: TenantPluginConfig) -> str:
        return self._serving(row).detail

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_warnings(self, row: TenantPluginConfig) -> list[str]:
        return list(self._serving(row).warnings)

    @extend_schema_field(PinSerializer(allow_null=True))
    def get_pin(self, row: TenantPluginConfig) -> Any:
        return PinSerializer(row).data if row.pinned_version else None

    @extend_schema_field(LimitsSerializer)
    def get_quotas(self, row: TenantPluginConfig) -> Any:
        return LimitsSerializer(quotas_of(row)).data

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_secrets(self, row: TenantPluginConfig) -> list[str]:
        return sorted(secret.key for secret in row.secrets.all())

    def _serving(self, row: TenantPluginConfig) -> Serving:
        found: Serving = self.context["serving"][row.pk]
        return found


class EnableSerializer(StrictSerializer):
    config = serializers.DictField(
        required=False, help_text="Needed where the stable version's schema requires something."
    )


class ConfigSerializer(StrictSerializer):
    config = serializers.DictField()


class ConfigPatchSerializer(StrictSerializer):
    config = serializers.DictField(help_text="A JSON merge patch (RFC 7396): null removes.")


class NewPinSerializer(StrictSerializer):
    version = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=200)
    expires_at = serializers.DateTimeField(default=None, allow_null=True)


class NewSecretSerializer(StrictSerializer):
    value = serializers.CharField(write_only=True, trim_whitespace=False, max_length=16_384)


class SecretSerializer(serializers.ModelSerializer[TenantSecret]):
    """Never the value."""

    name = serializers.CharField(source="key", read_only=True)

    class Meta:
        model = TenantSecret
        fields = ("name", "updated_at")
        read_only_fields = fields


class QuotasSerializer(serializers.Serializer[Any]):
    """Limits in force, and what is used of them as far as instances have reported it."""

    requests_per_minute = serializers.IntegerField()
    concurrency = serializers.IntegerField()
    calls_this_minute = serializers.IntegerField()


class NewQuotasSerializer(StrictSerializer):
    """null: the platform's default. 0 lets no call through."""

    requests_per_minute = serializers.IntegerField(
        min_value=0, max_value=MAX_REQUESTS_PER_MINUTE, allow_null=True
    )
    concurrency = serializers.IntegerField(min_value=0, max_value=MAX_CONCURRENCY, allow_null=True)
