"""Requests and answers about tokens, keys and one's own account."""

from typing import Any

from rest_framework import serializers

from hotswap.lib.api.credentials import GRANTABLE_SCOPES
from hotswap.lib.api.serializers import StrictSerializer
from plugins.models import ApiKey, Environment

_SCOPES = [(scope.value, scope.value) for scope in GRANTABLE_SCOPES]
_PASSWORD: dict[str, Any] = {
    "style": {"input_type": "password"},
    "trim_whitespace": False,
    "max_length": 128,
}


class PasswordGrantSerializer(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(write_only=True, **_PASSWORD)


class RefreshSerializer(StrictSerializer):
    refresh = serializers.CharField(max_length=4096)


class AccessSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True)
    expires_in_seconds = serializers.IntegerField(read_only=True)


class TokenPairSerializer(AccessSerializer):
    refresh = serializers.CharField(read_only=True)


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    scopes = serializers.ListField(child=serializers.ChoiceField(_SCOPES), read_only=True)
    environment = serializers.CharField(source="environment.name", default=None, read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            *("id", "name", "prefix", "scopes", "tenant_id", "environment"),
            *("created_by", "created_at", "expires_at"),
        )
        read_only_fields = fields


class NewKeySerializer(StrictSerializer):
    """With ``tenant`` the key is that tenant's, and may be bound to one environment."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(_SCOPES), min_length=1, max_length=len(_SCOPES)
    )
    expires_at = serializers.DateTimeField(required=False)
    tenant = serializers.CharField(max_length=60, required=False)
    environment = serializers.SlugRelatedField(
        slug_field="name", queryset=Environment.objects.all(), required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "environment" in attrs and "tenant" not in attrs:
            raise serializers.ValidationError(
                {"environment": ["Only a tenant's key can be bound to an environment."]}
            )
        return attrs


class ShownKeySerializer(KeySerializer):
    """The only answer that ever has ``key`` itself."""

    key = serializers.CharField(read_only=True)

    class Meta(KeySerializer.Meta):
        fields = (*KeySerializer.Meta.fields, "key")
        read_only_fields = fields


class MembershipSerializer(serializers.Serializer[Any]):
    tenant = serializers.CharField(source="tenant.slug", read_only=True)
    role = serializers.CharField(read_only=True)


class MeSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)
    first_name = serializers.CharField(read_only=True)
    last_name = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)
    memberships = MembershipSerializer(many=True, read_only=True)


class MyChangesSerializer(StrictSerializer):
    """A new ``password`` needs ``current_password`` and ends every token of before."""

    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    password = serializers.CharField(write_only=True, required=False, **_PASSWORD)
    current_password = serializers.CharField(write_only=True, required=False, **_PASSWORD)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" in attrs and "current_password" not in attrs:
            raise serializers.ValidationError(
                {"current_password": ["Needed to set a new password."]}
            )
        return attrs
