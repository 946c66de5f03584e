"""Plugins, versions, environments and keys in the admin; versions are decided by the services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from guardian.admin import GuardedModelAdmin
from unfold.admin import ModelAdmin

from hotswap.lib.pages.records import ReadOnlyAdmin, ReadOnlyInline, ServiceMadeAdmin
from plugins.admin_decisions import decision_action
from plugins.decision_offers import OFFERS
from plugins.environments import create_environment, update_environment
from plugins.models import (
    Account,
    ApiKey,
    CredentialGeneration,
    DependencyLock,
    Environment,
    IdempotencyRecord,
    Plugin,
    PluginDependency,
    PluginVersion,
    PresignedUpload,
    PublisherKey,
    Resolution,
    VersionDecision,
)
from plugins.services import update_plugin


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
        *("name", "summary", "type", "tags", "owner", "is_active", "requires_signature"),
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
    list_display = (
        *("__str__", "status", "warning_count", "uploaded_by", "artifact_bytes", "created_at"),
    )
    list_filter = ("status",)
    search_fields = ("plugin__name", "version", "artifact_digest")
    list_select_related = ("plugin", "uploaded_by")
    exclude = ("sort_key",)
    inlines = (DecisionInline,)
    actions = tuple(decision_action(offer) for offer in OFFERS.values())

    @admin.display(description="Warnings")
    def warning_count(self, obj: PluginVersion) -> int:
        return len(obj.warnings)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """The service knows who may not decide about which."""
        return bool(request.user.is_superuser)

    def view_on_site(self, obj: PluginVersion) -> str:
        return reverse("version", args=[obj.plugin.name, obj.version])


@admin.register(VersionDecision)
class VersionDecisionAdmin(ReadOnlyAdmin):
    list_display = ("version", "user", "approved", "comment", "at")
    list_select_related = ("version__plugin", "user")


@admin.register(PluginDependency)
class PluginDependencyAdmin(ReadOnlyAdmin):
    list_display = ("version", "name", "specifier")
    search_fields = ("name", "version__plugin__name")
    list_select_related = ("version__plugin",)


@admin.register(Resolution)
class ResolutionAdmin(ReadOnlyAdmin):
    list_display = ("version", "status", "attempt", "requested_at", "finished_at")
    list_filter = ("status",)
    search_fields = ("version__plugin__name",)
    list_select_related = ("version__plugin",)


@admin.register(DependencyLock)
class DependencyLockAdmin(ReadOnlyAdmin):
    list_display = ("digest", "created_at")
    search_fields = ("digest",)


@admin.register(PublisherKey)
class PublisherKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "publisher", "key_id", "not_after", "revoked_at")
    search_fields = ("name", "key_id", "publisher__username")
    list_select_related = ("publisher",)


@admin.register(PresignedUpload)
class PresignedUploadAdmin(ReadOnlyAdmin):
    list_display = ("plugin", "filename", "size_bytes", "created_by", "expires_at", "completed_at")
    list_select_related = ("plugin", "created_by")


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
