"""Plugin hosts as they report themselves, and the secrets sealed to each."""

from uuid import uuid4

from django.db import models

from plugins.models import Environment, PluginVersion
from tenants.models import Tenant, TenantPluginConfig
from tenants.querysets import TenantOwnedQuerySet


class Instance(models.Model):
    """A plugin host of one environment. Everything but ``is_cordoned`` is its own report."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="instances")
    name = models.CharField(max_length=80)
    boot = models.UUIDField(help_text="New at every start of the process.")
    public_address = models.CharField(max_length=200, help_text="http://host:port of invoke.")
    internal_address = models.CharField(max_length=200, help_text="unix:/path of the inner door.")
    public_key = models.CharField(
        max_length=64, help_text="X25519, base64: secrets are sealed to it."
    )
    is_ready = models.BooleanField(default=False)
    is_cordoned = models.BooleanField(default=False)
    acked_generation = models.BigIntegerField(default=0)
    acked_credentials = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(db_index=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "instances"
        ordering = ("environment", "name")
        constraints = [
            models.UniqueConstraint(fields=("environment", "name"), name="instance_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.environment})"


class PlacementState(models.TextChoices):
    FETCHING = "fetching"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Placement(models.Model):
    """A version on an instance, as the instance reports it."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="placements")
    version = models.ForeignKey(PluginVersion, models.CASCADE, related_name="placements")
    boot = models.UUIDField()
    state = models.CharField(max_length=10, choices=PlacementState.choices)
    detail = models.CharField(max_length=500, blank=True)
    load_seconds = models.FloatField(null=True, blank=True)
    attestation = models.JSONField(null=True, blank=True)
    probe = models.JSONField(null=True, blank=True, help_text="What the examples answered.")
    processes = models.PositiveIntegerField(default=0)
    spares = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "placements"
        constraints = [
            models.UniqueConstraint(fields=("instance", "version"), name="one_placement"),
        ]

    def __str__(self) -> str:
        return f"{self.version} on {self.instance}: {self.state}"


class SealedSecret(models.Model):
    """An installation's secrets, readable only by the private key of one instance."""

    instance = models.ForeignKey(Instance, models.CASCADE)
    tenant = models.ForeignKey(Tenant, models.CASCADE)
    installation = models.ForeignKey(TenantPluginConfig, models.CASCADE)
    epoch = models.PositiveIntegerField()
    public_key = models.CharField(max_length=64)
    ciphertext = models.BinaryField()
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "sealed_secrets"
        constraints = [
            models.UniqueConstraint(fields=("instance", "installation"), name="sealed_once"),
        ]

    def __str__(self) -> str:
        return f"secrets of {self.installation_id} for {self.instance_id}"
