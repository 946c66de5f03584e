from typing import Any

from django.contrib.auth import get_user_model
from rest_framework import serializers

from hotswap.lib.api.serializers import StrictSerializer
from plugins.models import Environment
from tenants.models import MemberRole, Tenant, TenantMember


class TenantSerializer(serializers.ModelSerializer[Tenant]):
    home_environment = serializers.SlugRelatedField[Environment]("name", read_only=True)

    class Meta:
        model = Tenant
        fields = ("slug", "name", "home_environment", "status", "created_at")
        read_only_fields = fields


def _environment_field(**options: Any) -> Any:
    return serializers.SlugRelatedField("name", queryset=Environment.objects.all(), **options)


class NewTenantSerializer(StrictSerializer):
    slug = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=120)
    home_environment = _environment_field(help_text="Where calls go that name no environment.")


class TenantChangesSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    home_environment = _environment_field(required=False)


class MemberSerializer(serializers.ModelSerializer[TenantMember]):
    user = serializers.SlugRelatedField[Any]("username", read_only=True)

    class Meta:
        model = TenantMember
        fields = ("user", "role", "added_at")
        read_only_fields = fields


class NewMemberSerializer(StrictSerializer):
    user = serializers.SlugRelatedField(
        "username", queryset=get_user_model().objects.filter(is_active=True)
    )
    role = serializers.ChoiceField(MemberRole.choices, default=MemberRole.OWNER)
