"""Which version serves whom: one row per plugin and environment, plus the exceptions by tenant."""

from django.db import models
from django.db.models import Q

from deployments.models.deployment import Deployment
from plugins.models import Environment, Plugin, PluginVersion
from tenants.models import Tenant
from tenants.querysets import TenantOwnedQuerySet


class Route(models.Model):
    """The stable pointer, and the roles of the deployment under way."""

    plugin = models.ForeignKey(Plugin, models.PROTECT, related_name="routes")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="routes")
    stable = models.ForeignKey(
        PluginVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    candidate = models.ForeignKey(
        PluginVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    candidate_spares = models.PositiveIntegerField(
        default=0, help_text="Warm spares that each instance keeps for the next cohort."
    )
    warm = models.ForeignKey(
        PluginVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="No longer routed to, still loaded for a rollback.",
    )
    warm_until = models.DateTimeField(null=True, blank=True)
    is_killed = models.BooleanField(default=False)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    class Meta:
        db_table = "routes"
        constraints = [
            models.UniqueConstraint(fields=("plugin", "environment"), name="one_route"),
            models.CheckConstraint(
                condition=Q(candidate__isnull=True) | Q(deployment__isnull=False),
                name="a_candidate_has_a_deployment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plugin} in {self.environment}: {self.stable}"


class Admission(models.Model):
    """A tenant that the candidate serves: added while a deployment runs, closed, never removed."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="admissions")
    tenant = models.ForeignKey(Tenant, models.CASCADE)
    arm = models.CharField(max_length=10, default="candidate")
    step = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "admissions"
        constraints = [
            models.UniqueConstraint(fields=("deployment", "tenant"), name="admitted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} in {self.deployment_id}"


class Hold(models.Model):
    """A system pin: the tenant stays on ``version`` for ``reason`` until the hold is cleared."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    plugin = models.ForeignKey(Plugin, models.CASCADE)
    environment = models.ForeignKey(Environment, models.CASCADE)
    version = models.ForeignKey(PluginVersion, models.PROTECT, related_name="+")
    deployment = models.ForeignKey(Deployment, models.SET_NULL, null=True, blank=True)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    generation = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = TenantOwnedQuerySet.as_manager()

    class Meta:
        db_table = "holds"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant", "plugin", "environment"),
                condition=Q(cleared_at__isnull=True),
                name="one_open_hold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} held at {self.version_id}"
