"""What instances found to have been tampered with."""

from django.db import models

from deployments.models.instance import Instance
from plugins.models import PluginVersion


class IntegrityAlarm(models.Model):
    """A version that an instance refused because it is not what was approved; its own report.

    One row for each start of the instance and each kind of finding; ``times`` counts the attempts.
    ``recorded_at`` is the control plane's: when it wrote the audit event.
    """

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="alarms")
    version = models.ForeignKey(PluginVersion, models.CASCADE, related_name="alarms")
    boot = models.UUIDField()
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=500)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    recorded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "integrity_alarms"
        ordering = ("-last_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("instance", "boot", "version", "code"), name="one_alarm_a_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} on {self.instance}: {self.code}"
