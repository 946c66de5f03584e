"""Who may ask by key or token, and the answers kept for those who ask twice."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from plugins.models.registry import Environment


class CredentialGeneration(models.Model):
    """One row that numbers every change of a key, a membership or a user's right to act."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "credential_generation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_credential_row")]

    def __str__(self) -> str:
        return str(self.number)


class Account(models.Model):
    """What an instance must know of a user: tokens of an older epoch are refused."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    credential_epoch = models.PositiveIntegerField(default=0)
    generation = models.BigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "accounts"

    def __str__(self) -> str:
        return str(self.user)


class ApiKey(models.Model):
    """A key for automation, of a user or of a tenant; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
    )
    tenant_id = models.UUIDField(null=True, blank=True, db_index=True)
    environment = models.ForeignKey(Environment, models.CASCADE, null=True, blank=True)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    class Meta:
        db_table = "api_keys"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(tenant_id__isnull=True),
                name="key_of_a_user_or_a_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyRecord(models.Model):
    """The first answer to a write that carried an Idempotency-Key."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_records"
        constraints = [
            models.UniqueConstraint(
                fields=("user", "method", "path", "key"), name="idempotency_key_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
