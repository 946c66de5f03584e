"""Who is asking, and what each tenant has installed. Every table is under row security."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from plugins.models import Environment, Plugin, PluginVersion, validate_name
from tenants.querysets import InstallationQuerySet, TenantOwnedQuerySet, TenantQuerySet


class TenantStatus(models.TextChoices):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.CharField(max_length=60, validators=[validate_name])
    name = models.CharField(max_length=120)
    home_environment = models.ForeignKey(Environment, models.PROTECT)
    status = models.CharField(
        max_length=10, choices=TenantStatus.choices, default=TenantStatus.ACTIVE
    )
    created_at = models.DateTimeField(auto_now_add=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "tenants"
        ordering = ("slug",)
        constraints = [models.UniqueConstraint(Lower("slug"), name="tenant_slug_any_case")]
        permissions = [("own_tenant", "May act for the tenant")]

    def __str__(self) -> str:
        return self.slug


class MemberRole(models.TextChoices):
    OWNER = "owner"
    CALLER = "caller"


class TenantMember(models.Model):
    """A user's part in a tenant. A removed member stays as a tombstone for the instances."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=MemberRole.choices, default=MemberRole.OWNER)
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "tenant_members"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "user"),
                condition=Q(removed_at__isnull=True),
                name="member_once_per_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} of {self.tenant}"


class TenantPluginConfig(models.Model):
    """The installation: one tenant's use of one plugin in one environment."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="installations")
    plugin = models.ForeignKey(Plugin, models.PROTECT, related_name="installations")
    environment = models.ForeignKey(Environment, models.PROTECT)
    is_enabled = models.BooleanField(default=True)
    config = models.JSONField(default=dict, blank=True)
    epoch = models.PositiveIntegerField(
        default=1,
        editable=False,
        help_text="Counts changes of the config and of the secrets.",
    )
    pinned_version = models.ForeignKey(
        PluginVersion, models.PROTECT, null=True, blank=True, related_name="pins"
    )
    pin_reason = models.CharField(max_length=200, blank=True)
    pin_expires_at = models.DateTimeField(null=True, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    concurrency = models.PositiveIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = InstallationQuerySet.as_manager()

    class Meta:
        db_table = "tenant_plugin_configs"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "plugin", "environment"), name="one_installation"
            ),
            models.CheckConstraint(
                condition=Q(pinned_version__isnull=True) | ~Q(pin_reason=""),
                name="a_pin_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=("environment", "plugin", "is_enabled"))]

    def __str__(self) -> str:
        return f"{self.plugin} of {self.tenant} in {self.environment}"


class TenantDataKey(models.Model):
    """A tenant's own encryption key, wrapped by the platform's. Destroying it ends every secret."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True)
    wrapped = models.BinaryField()
    key_id = models.CharField(max_length=64)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "tenant_data_keys"

    def __str__(self) -> str:
        return f"key of {self.tenant}"


class TenantSecret(models.Model):
    """A write-only value, encrypted with the tenant's data key."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    installation = models.ForeignKey(TenantPluginConfig, models.CASCADE, related_name="secrets")
    key = models.CharField(max_length=63)
    ciphertext = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "tenant_secrets"
        constraints = [
            models.UniqueConstraint(fields=("installation", "key"), name="one_value_per_secret"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.installation_id}"
