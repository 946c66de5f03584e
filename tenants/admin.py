"""Tenants and what they have installed; of secrets and keys only that they exist."""

from django.contrib import admin
from django.urls import reverse
from guardian.admin import GuardedModelAdmin

from hotswap.lib.pages.records import ReadOnlyAdmin, ReadOnlyInline
from tenants.models import Tenant, TenantDataKey, TenantMember, TenantPluginConfig, TenantSecret


class MemberInline(ReadOnlyInline):
    model = TenantMember
    fields = ("user", "role", "added_at", "removed_at")


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin, GuardedModelAdmin):  # type: ignore[misc]
    list_display = ("slug", "name", "home_environment", "status", "created_at")
    list_filter = ("status", "home_environment")
    search_fields = ("slug", "name")
    list_select_related = ("home_environment",)
    inlines = (MemberInline,)

    def view_on_site(self, obj: Tenant) -> str:
        return reverse("tenant", args=[obj.slug])


@admin.register(TenantMember)
class TenantMemberAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "user", "role", "added_at", "removed_at")
    list_filter = ("role",)
    search_fields = ("tenant__slug", "user__username")
    list_select_related = ("tenant", "user")


class SecretInline(ReadOnlyInline):
    model = TenantSecret
    fields = ("key", "updated_at")
    readonly_fields = ("updated_at",)


@admin.register(TenantPluginConfig)
class TenantPluginConfigAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plugin", "environment", "is_enabled", "pinned_version", "updated_at")
    list_filter = ("is_enabled", "environment")
    search_fields = ("tenant__slug", "plugin__name")
    list_select_related = ("tenant", "plugin", "environment", "pinned_version__plugin")
    inlines = (SecretInline,)


@admin.register(TenantSecret)
class TenantSecretAdmin(ReadOnlyAdmin):
    list_display = ("key", "installation", "updated_at")
    list_select_related = (
        "installation__tenant",
        "installation__plugin",
        "installation__environment",
    )
    search_fields = ("key", "tenant__slug")
    exclude = ("ciphertext",)


@admin.register(TenantDataKey)
class TenantDataKeyAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "key_id")
    list_select_related = ("tenant",)
    exclude = ("wrapped",)
