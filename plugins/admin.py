"""Plugins, versions, environments and keys in the admin; versions are decided by the services."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from guardian.admin import GuardedModelAdmin
from unfold.admin import ModelAdmin

from hotswap.lib.pages.records import ReadOnlyAdmin, ReadOnlyInline, ServiceMadeAdmin, do_each
from plugins.environments import create_environment, update_environment
from plugins.models import (
    Account,
    ApiKey,
    CredentialGeneration,
    Environment,
    IdempotencyRecord,
    Plugin,
    PluginVersion,
    VersionDecision,
    VersionStatus,
)
from plugins.services import approve_version, reject_version, update_plugin


@admin.register(Environment)
class EnvironmentAdmin(ModelAdmin):
    list_display = ("name", "generation", "required_approvals", "is_frozen", "position")
    readonly_fields = ("generation", "is_frozen")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Instances are started with the name."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = dict(form.cleaned_data)
        if change:
            update_environment(environment=obj, by=request.user, changes=values)
        else:
            made = create_environment(by=request.user, **values)
            obj.pk = made.pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Plugin)
class PluginAdmin(ServiceMadeAdmin, GuardedModelAdmin):  # type: ignore[misc]
    """Who else may edit a plugin is given by its object permissions."""

    list_display = ("name", "owner", "is_active", "is_deprecated", "updated_at")
    list_filter = ("is_active", "is_deprecated", "type")
    search_fields = ("name", "summary")
    list_select_related = ("owner",)
    fields = (
        *("name", "summary", "type", "tags", "owner", "is_active"),
        *("is_deprecated", "deprecation_reason", "replacement", "revision"),
        *("created_at", "updated_at"),
    )
    readonly_fields = (
        *("name", "owner", "is_deprecated", "deprecation_reason", "replacement"),
        *("revision", "created_at", "updated_at"),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = Plugin.objects.get(pk=obj.pk)
        update_plugin(plugin=stored, by=request.user, changes=form.cleaned_data)

    def view_on_site(self, obj: Plugin) -> str:
        return reverse("plugin", args=[obj.name])


class DecisionInline(ReadOnlyInline):
    model = VersionDecision
    fields = ("user", "approved", "comment", "at")


@admin.register(PluginVersion)
class PluginVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "uploaded_by", "artifact_bytes", "created_at")
    list_filter = ("status",)
    search_fields = ("plugin__name", "version", "artifact_digest")
    list_select_related = ("plugin", "uploaded_by")
    exclude = ("sort_key",)
    inlines = (DecisionInline,)
    actions = ("approve", "reject")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """The service knows who may not decide about which."""
        return bool(request.user.is_superuser)

    @admin.action(description="Approve the selected versions", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PluginVersion]) -> None:
        decide = partial(_decide, approve_version, request)
        do_each(request, queryset.select_related("plugin"), decide, VersionStatus.APPROVED)

    @admin.action(description="Reject the selected versions", permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[PluginVersion]) -> None:
        decide = partial(_decide, reject_version, request)
        do_each(request, queryset.select_related("plugin"), decide, VersionStatus.REJECTED)

    def view_on_site(self, obj: PluginVersion) -> str:
        return reverse("plugin", args=[obj.plugin.name])


def _decide(service: Any, request: HttpRequest, version: PluginVersion) -> None:
    service(version=version, by=request.user, comment="in the admin")


@admin.register(VersionDecision)
class VersionDecisionAdmin(ReadOnlyAdmin):
    list_display = ("version", "user", "approved", "comment", "at")
    list_select_related = ("version__plugin", "user")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The digest is of no use to a person and stays out of sight."""

    list_display = ("name", "prefix", "user", "tenant_id", "expires_at", "revoked_at")
    search_fields = ("name", "prefix")
    list_select_related = ("user",)
    exclude = ("digest",)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("user", "credential_epoch", "generation")
    list_select_related = ("user",)
    search_fields = ("user__username",)


@admin.register(CredentialGeneration)
class CredentialGenerationAdmin(ReadOnlyAdmin):
    list_display = ("number",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    list_display = ("method", "path", "user", "status", "created_at")
    list_select_related = ("user",)
    exclude = ("answer",)
