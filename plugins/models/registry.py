"""What can be deployed, and where."""

from uuid import uuid4

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower

from plugins.querysets import PluginQuerySet, VersionQuerySet

validate_name = RegexValidator(
    r"\A[a-z][a-z0-9]*(-[a-z0-9]+)*\Z",
    "Use lower-case letters, digits and single hyphens, starting with a letter.",
)


class Environment(models.Model):
    """A place that versions are deployed to. ``generation`` numbers every routable change in it."""

    name = models.CharField(max_length=40, unique=True, validators=[validate_name])
    position = models.PositiveSmallIntegerField(default=0)
    required_approvals = models.PositiveSmallIntegerField(default=0)
    requires_approved_versions = models.BooleanField(default=True)
    is_frozen = models.BooleanField(default=False)
    generation = models.BigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "environments"
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name


class Plugin(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=60, validators=[validate_name])
    summary = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=40, default="general", validators=[validate_name])
    tags = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plugins")
    is_active = models.BooleanField(default=True)
    is_deprecated = models.BooleanField(default=False)
    deprecation_reason = models.CharField(max_length=200, blank=True)
    replacement = models.ForeignKey("self", models.SET_NULL, null=True, blank=True)
    requires_signature = models.BooleanField(
        default=False, help_text="Versions without a publisher's signature are refused."
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PluginQuerySet.as_manager()

    class Meta:
        db_table = "plugins"
        ordering = ("name",)
        constraints = [models.UniqueConstraint(Lower("name"), name="plugin_name_any_case")]

    def __str__(self) -> str:
        return self.name


class VersionStatus(models.TextChoices):
    DRAFT = "draft"
    APPROVED = "approved"
    REJECTED = "rejected"
    DEPRECATED = "deprecated"
    YANKED = "yanked"
    REVOKED = "revoked"


VERSION_TRANSITIONS: dict[str, tuple[str, ...]] = {
    VersionStatus.DRAFT: (
        VersionStatus.APPROVED,
        VersionStatus.REJECTED,
        VersionStatus.REVOKED,
    ),
    VersionStatus.APPROVED: (
        VersionStatus.DEPRECATED,
        VersionStatus.YANKED,
        VersionStatus.REVOKED,
    ),
    VersionStatus.DEPRECATED: (VersionStatus.YANKED, VersionStatus.REVOKED),
    VersionStatus.YANKED: (VersionStatus.REVOKED,),
    VersionStatus.REJECTED: (),
    VersionStatus.REVOKED: (),
}
LOADABLE = (VersionStatus.APPROVED, VersionStatus.DEPRECATED, VersionStatus.YANKED)


class PluginVersion(models.Model):
    """One immutable artifact of a plugin; only its status, lock and approval ever change.

    ``lock_digest`` names the DependencyLock its Python dependencies resolved to; ``signature`` is a
    publisher's DSSE envelope; ``warnings`` are ``{code, path, message}``; ``sbom`` is CycloneDX.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    plugin = models.ForeignKey(Plugin, models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    sort_key = models.CharField(max_length=80, editable=False)
    status = models.CharField(
        max_length=12, choices=VersionStatus.choices, default=VersionStatus.DRAFT
    )
    artifact_digest = models.CharField(max_length=64, unique=True)
    artifact_bytes = models.PositiveBigIntegerField(validators=[MinValueValidator(1)])
    manifest = models.JSONField()
    manifest_digest = models.CharField(max_length=64)
    lock_digest = models.CharField(max_length=64, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploaded_versions"
    )
    status_reason = models.CharField(max_length=500, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    sbom = models.JSONField(null=True, blank=True)
    signature = models.JSONField(null=True, blank=True)
    signed_by = models.ForeignKey(
        "plugins.PublisherKey", models.PROTECT, null=True, blank=True, related_name="versions"
    )
    approval = models.JSONField(null=True, blank=True)
    approval_signature = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        db_table = "plugin_versions"
        ordering = ("plugin_id", "-sort_key")
        constraints = [
            models.UniqueConstraint(fields=("plugin", "version"), name="version_once_per_plugin"),
            models.CheckConstraint(
                condition=models.Q(status__in=VersionStatus.values),
                name="version_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(artifact_digest__regex=r"^[0-9a-f]{64}$"),
                name="artifact_digest_is_sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plugin.name} {self.version}"


class PluginDependency(models.Model):
    """A version's need of another plugin in the same environment: one row a constraint."""

    version = models.ForeignKey(PluginVersion, models.CASCADE, related_name="plugin_dependencies")
    name = models.CharField(max_length=60, db_index=True)
    specifier = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "plugin_dependencies"
        verbose_name_plural = "plugin dependencies"
        constraints = [
            models.UniqueConstraint(fields=("version", "name"), name="dependency_once_per_version"),
        ]

    def __str__(self) -> str:
        return f"{self.version} needs {self.name}{self.specifier}"


class VersionDecision(models.Model):
    """Somebody's yes or no to a version, with the digests it was about."""

    version = models.ForeignKey(PluginVersion, models.CASCADE, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    approved = models.BooleanField()
    comment = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "version_decisions"
        constraints = [
            models.UniqueConstraint(fields=("version", "user"), name="one_decision_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {'yes' if self.approved else 'no'}"
