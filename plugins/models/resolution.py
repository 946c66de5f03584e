"""What a version's Python dependencies resolved to, and how the attempt went."""

from django.db import models

from plugins.models.registry import PluginVersion


class DependencyLock(models.Model):
    """A resolved set of wheels, kept under the sha256 of its canonical JSON and shared by versions.

    ``packages`` is a list of ``{name, version, filename, sha256, bytes, requires}``; the wheels are
    artifacts under their own sha256.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    packages = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "dependency_locks"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="lock_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class ResolutionStatus(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    RESOLVED = "resolved"
    FAILED = "failed"


class Resolution(models.Model):
    """The newest attempt to resolve a version's Python dependencies.

    ``progress`` is a list of ``{at, message}``, the newest last; ``problem`` is
    ``{code, message, fields}`` of a failed attempt.
    """

    version = models.OneToOneField(PluginVersion, models.CASCADE, related_name="resolution")
    status = models.CharField(
        max_length=10, choices=ResolutionStatus.choices, default=ResolutionStatus.PENDING
    )
    attempt = models.PositiveIntegerField(default=1)
    progress = models.JSONField(default=list, blank=True)
    problem = models.JSONField(null=True, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "resolutions"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=ResolutionStatus.values),
                name="resolution_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.status}"
