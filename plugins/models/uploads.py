"""Uploads that go straight to the storage."""

from uuid import uuid4

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from plugins.models.registry import Plugin, PluginVersion


class PresignedUpload(models.Model):
    """Leave to put one object into the storage; it becomes a version when it is completed."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    plugin = models.ForeignKey(Plugin, models.CASCADE, related_name="presigned_uploads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255, blank=True)
    digest = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField(validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    version = models.OneToOneField(
        PluginVersion, models.SET_NULL, null=True, blank=True, related_name="presigned_upload"
    )

    class Meta:
        db_table = "presigned_uploads"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex=r"^[0-9a-f]{64}$"), name="upload_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plugin} {self.id}"
