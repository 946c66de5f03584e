"""A deployment, its stored plan, what happened to it and what people asked of it."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from plugins.models import Environment, Plugin, PluginVersion


class Status(models.TextChoices):
    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    IN_PROGRESS = "in_progress"
    ROLLING_BACK = "rolling_back"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    FAILED = "failed"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"


TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.PENDING: (
        Status.AWAITING_APPROVAL,
        Status.IN_PROGRESS,
        Status.FAILED,
        Status.ABORTED,
        Status.SUPERSEDED,
    ),
    Status.AWAITING_APPROVAL: (
        Status.PENDING,
        Status.IN_PROGRESS,
        Status.FAILED,
        Status.ABORTED,
        Status.SUPERSEDED,
    ),
    Status.IN_PROGRESS: (Status.COMPLETED, Status.ROLLING_BACK, Status.FAILED),
    Status.ROLLING_BACK: (
        Status.ROLLED_BACK,
        Status.ROLLBACK_FAILED,
        Status.ABORTED,
        Status.SUPERSEDED,
        Status.COMPLETED,
    ),
}
RUNNING = (Status.IN_PROGRESS, Status.ROLLING_BACK)
WAITING = (Status.PENDING, Status.AWAITING_APPROVAL)
ACTIVE = (*WAITING, *RUNNING)
TERMINAL = tuple(status for status in Status if status not in ACTIVE)


class DeploymentKind(models.TextChoices):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Deployment(models.Model):
    """Moves a plugin in one environment from its incumbent to a candidate by a stored plan.

    ``wake_at`` is timer, lease and crash recovery in one: a row whose time has come is due, whoever
    claims it pushes the time forward, and a dead worker's claim lapses by itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    plugin = models.ForeignKey(Plugin, models.PROTECT, related_name="deployments")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="deployments")
    candidate = models.ForeignKey(PluginVersion, models.PROTECT, related_name="deployments")
    incumbent = models.ForeignKey(
        PluginVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(
        max_length=10, choices=DeploymentKind.choices, default=DeploymentKind.DEPLOY
    )
    strategy = models.CharField(max_length=20)
    options = models.JSONField(default=dict, blank=True)
    required_approvals = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    ends_as = models.CharField(
        max_length=20,
        choices=Status.choices,
        blank=True,
        help_text="What a rollback ends as.",
    )
    pause_reasons = models.JSONField(default=list, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    cursor = models.PositiveSmallIntegerField(default=0)
    revision = models.PositiveIntegerField(default=0)
    wake_at = models.DateTimeField(null=True, blank=True, db_index=True)
    deadline_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="By then the current step must have made progress.",
    )
    routed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the candidate first got traffic."
    )
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "plugin_deployments"
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("plugin", "environment"),
                condition=Q(status__in=RUNNING),
                name="one_running_deployment",
            ),
            models.UniqueConstraint(
                fields=("plugin", "environment"),
                condition=Q(status__in=WAITING),
                name="one_waiting_deployment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="deployment_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} to {self.environment} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def shown_status(self) -> str:
        """The status people see: a running deployment with a pause reason is paused."""
        return "paused" if self.pause_reasons and self.is_active else self.status


class StepStatus(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Phase(models.TextChoices):
    PLAN = "plan"
    ROLLBACK = "rollback"


class DeploymentStep(models.Model):
    """One row of the stored plan, or of the rollback that took its place."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="steps")
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.PLAN)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20)
    arguments = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=StepStatus.choices, default=StepStatus.WAITING)
    state = models.JSONField(default=dict, help_text="What the step must remember between ticks.")
    detail = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "deployment_steps"
        ordering = ("deployment", "phase", "position")
        constraints = [
            models.UniqueConstraint(
                fields=("deployment", "phase", "position"),
                name="step_once_per_position",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"


class DeploymentEvent(models.Model):
    """What happened to a deployment, in order, written in the transaction that made it so."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    message = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "deployment_events"
        ordering = ("deployment", "sequence")
        constraints = [
            models.UniqueConstraint(
                fields=("deployment", "sequence"), name="event_once_per_sequence"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"


class DeploymentCommand(models.Model):
    """What somebody asked of a deployment; the executor applies it, so the API never races it."""

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=20)
    arguments = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "deployment_commands"
        ordering = ("created_at", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("deployment", "kind"),
                condition=Q(applied_at__isnull=True),
                name="one_open_command_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"
