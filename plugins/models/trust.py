"""Whose signatures count."""

from django.conf import settings
from django.db import models


class PublisherKey(models.Model):
    """An Ed25519 public key that a publisher signs versions with; never deleted, only revoked."""

    key_id = models.CharField(max_length=64, primary_key=True)
    publisher = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="publisher_keys"
    )
    name = models.CharField(max_length=80)
    public_key = models.TextField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revocation_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "publisher_keys"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(key_id__regex=r"^[0-9a-f]{64}$"), name="key_id_is_sha256"
            ),
            models.CheckConstraint(
                condition=models.Q(not_after__gt=models.F("not_before")),
                name="publisher_key_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id[:12]})"
