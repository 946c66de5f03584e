"""What happened. Ids of what was observed are plain columns: nothing here asks a higher app."""

from uuid import uuid4

from django.db import models


class AuditEvent(models.Model):
    """Who did what to which object; the database lets nobody change or remove it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    tenant_id = models.UUIDField(null=True, blank=True, db_index=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "audit_events"
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_type} {self.object_id}"


class CallWindow(models.Model):
    """The calls of one second at one instance for one version. The key makes a repeat harmless."""

    instance = models.CharField(max_length=80)
    boot = models.UUIDField()
    environment = models.CharField(max_length=40)
    plugin_id = models.UUIDField()
    version_id = models.UUIDField()
    second = models.DateTimeField()
    calls = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    outcomes = models.JSONField(help_text="Outcome code to count.")
    latencies = models.JSONField(help_text="Bucket index to count; see observability.histogram.")
    tenants = models.JSONField(help_text="Tenant id to [calls, failures].")

    class Meta:
        db_table = "call_windows"
        constraints = [
            models.UniqueConstraint(
                fields=("instance", "boot", "plugin_id", "version_id", "second"),
                name="one_window_per_second",
            ),
        ]
        indexes = [models.Index(fields=("version_id", "environment", "second"))]

    def __str__(self) -> str:
        return f"{self.version_id} at {self.second}: {self.calls}"


class CallHour(models.Model):
    """The calls of one version in one hour, all instances together; made of windows."""

    environment = models.CharField(max_length=40)
    plugin_id = models.UUIDField()
    version_id = models.UUIDField()
    hour = models.DateTimeField()
    calls = models.PositiveBigIntegerField()
    failures = models.PositiveBigIntegerField()
    outcomes = models.JSONField(help_text="Outcome code to count.")
    latencies = models.JSONField(help_text="Bucket index to count; see observability.histogram.")

    class Meta:
        db_table = "call_hours"
        constraints = [
            models.UniqueConstraint(
                fields=("version_id", "environment", "hour"), name="one_row_per_version_and_hour"
            ),
        ]
        indexes = [models.Index(fields=("plugin_id", "environment", "hour"))]

    def __str__(self) -> str:
        return f"{self.version_id} from {self.hour}: {self.calls}"


class TenantHour(models.Model):
    """The calls of one tenant at one version in one hour; kept for thirty days."""

    environment = models.CharField(max_length=40)
    plugin_id = models.UUIDField()
    version_id = models.UUIDField()
    tenant_id = models.UUIDField()
    hour = models.DateTimeField()
    calls = models.PositiveBigIntegerField()
    failures = models.PositiveBigIntegerField()

    class Meta:
        db_table = "tenant_hours"
        constraints = [
            models.UniqueConstraint(
                fields=("version_id", "environment", "tenant_id", "hour"),
                name="one_row_per_tenant_and_hour",
            ),
        ]
        indexes = [
            models.Index(fields=("plugin_id", "environment", "hour")),
            models.Index(fields=("tenant_id", "hour")),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.version_id} from {self.hour}: {self.calls}"
