"""What happened, to be read only."""

from django.contrib import admin

from hotswap.lib.pages.records import ReadOnlyAdmin
from observability.models import AuditEvent, CallHour, CallWindow, TenantHour


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "object_type", "object_id", "tenant_id")
    list_filter = ("object_type",)
    search_fields = ("actor", "action", "object_id")
    date_hierarchy = "at"


@admin.register(CallWindow)
class CallWindowAdmin(ReadOnlyAdmin):
    list_display = ("second", "instance", "environment", "version_id", "calls", "failures")
    list_filter = ("environment",)
    ordering = ("-second",)


@admin.register(CallHour)
class CallHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "environment", "version_id", "calls", "failures")
    list_filter = ("environment",)
    ordering = ("-hour",)


@admin.register(TenantHour)
class TenantHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "environment", "version_id", "tenant_id", "calls", "failures")
    list_filter = ("environment",)
    ordering = ("-hour",)
