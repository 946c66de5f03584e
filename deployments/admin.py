"""Deployments, instances and routing in the admin: to be read; the pages ask for changes."""

from django.contrib import admin
from django.urls import reverse

from deployments.models import (
    Admission,
    Deployment,
    DeploymentCommand,
    DeploymentEvent,
    DeploymentStep,
    Hold,
    Instance,
    IntegrityAlarm,
    Placement,
    Route,
    SealedSecret,
)
from hotswap.lib.pages.records import ReadOnlyAdmin, ReadOnlyInline


class StepInline(ReadOnlyInline):
    model = DeploymentStep
    fields = ("phase", "position", "kind", "status", "detail", "started_at", "finished_at")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "strategy", "requested_by", "created_at", "finished_at")
    list_filter = ("status", "strategy", "environment")
    search_fields = ("plugin__name", "candidate__version")
    list_select_related = ("plugin", "environment", "candidate__plugin", "requested_by")
    inlines = (StepInline,)

    def view_on_site(self, obj: Deployment) -> str:
        return reverse("deployment", args=[obj.pk])


@admin.register(DeploymentStep)
class DeploymentStepAdmin(ReadOnlyAdmin):
    list_display = ("deployment", "phase", "position", "kind", "status", "detail")
    list_filter = ("kind", "status")
    list_select_related = ("deployment__candidate__plugin", "deployment__environment")


@admin.register(DeploymentEvent)
class DeploymentEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "deployment", "sequence", "kind", "message")
    list_filter = ("kind",)
    list_select_related = ("deployment__candidate__plugin", "deployment__environment")
    ordering = ("-at",)


@admin.register(DeploymentCommand)
class DeploymentCommandAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "deployment", "kind", "by", "applied_at", "outcome")
    list_filter = ("kind",)
    list_select_related = ("deployment__candidate__plugin", "deployment__environment", "by")
    ordering = ("-created_at",)


class PlacementInline(ReadOnlyInline):
    model = Placement
    fields = ("version", "state", "detail", "load_seconds", "processes", "spares", "updated_at")


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ("name", "environment", "is_ready", "is_cordoned", "heartbeat_at", "stopped_at")
    list_filter = ("environment", "is_ready", "is_cordoned")
    search_fields = ("name",)
    list_select_related = ("environment",)
    inlines = (PlacementInline,)


@admin.register(Placement)
class PlacementAdmin(ReadOnlyAdmin):
    list_display = ("instance", "version", "state", "load_seconds", "processes", "updated_at")
    list_filter = ("state",)
    list_select_related = ("instance__environment", "version__plugin")


@admin.register(Route)
class RouteAdmin(ReadOnlyAdmin):
    list_display = ("plugin", "environment", "stable", "candidate", "is_killed", "generation")
    list_filter = ("environment", "is_killed")
    search_fields = ("plugin__name",)
    list_select_related = ("plugin", "environment", "stable__plugin", "candidate__plugin")


@admin.register(Admission)
class AdmissionAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "deployment", "arm", "step", "created_at", "closed_at")
    list_select_related = ("tenant", "deployment__candidate__plugin", "deployment__environment")


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plugin", "environment", "version", "reason", "cleared_at")
    list_filter = ("environment",)
    search_fields = ("tenant__slug", "plugin__name")
    list_select_related = ("tenant", "plugin", "environment", "version__plugin")


@admin.register(SealedSecret)
class SealedSecretAdmin(ReadOnlyAdmin):
    """That there is one, for whom and of which epoch; never the sealed bytes."""

    list_display = ("installation", "instance", "epoch", "generation")
    list_select_related = (
        "instance__environment",
        "installation__tenant",
        "installation__plugin",
        "installation__environment",
    )
    exclude = ("ciphertext",)


@admin.register(IntegrityAlarm)
class IntegrityAlarmAdmin(ReadOnlyAdmin):
    list_display = ("last_at", "version", "instance", "code", "times", "detail")
    list_filter = ("code", "instance__environment")
    list_select_related = ("version__plugin", "instance__environment")
