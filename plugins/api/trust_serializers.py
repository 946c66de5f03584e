"""Publishers' keys and signatures in requests and answers."""

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from hotswap.lib.api.serializers import StrictSerializer
from plugins.models import PublisherKey
from plugins.trust.dsse import MAX_ENVELOPE_BYTES
from plugins.trust.keyfiles import MAX_PEM_CHARACTERS


class RegisterKeySerializer(StrictSerializer):
    """``public_key`` is PEM; without times the key is valid from now on, for a year."""

    name = serializers.CharField(max_length=80)
    public_key = serializers.CharField(max_length=MAX_PEM_CHARACTERS)
    not_before = serializers.DateTimeField(required=False)
    not_after = serializers.DateTimeField(required=False)


class RevokeKeySerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class PublisherKeySerializer(serializers.ModelSerializer[PublisherKey]):
    publisher = serializers.CharField(source="publisher.username", read_only=True)

    class Meta:
        model = PublisherKey
        fields = (
            *("key_id", "name", "publisher", "public_key", "not_before", "not_after"),
            *("revoked_at", "revocation_reason", "created_at"),
        )
        read_only_fields = fields


class SignedBySerializer(serializers.ModelSerializer[PublisherKey]):
    """The key that a version is signed with."""

    publisher = serializers.CharField(source="publisher.username", read_only=True)

    class Meta:
        model = PublisherKey
        fields = ("key_id", "name", "publisher", "not_after", "revoked_at")
        read_only_fields = fields


class WarningSerializer(serializers.Serializer[Any]):
    """What an approver should look at; ``path`` is a file of the artifact."""

    code = serializers.CharField(read_only=True)
    path = serializers.CharField(read_only=True, allow_blank=True)
    message = serializers.CharField(read_only=True)


@extend_schema_field(OpenApiTypes.STR)
class EnvelopeField(serializers.CharField):
    """The text of a DSSE envelope; in a JSON body it may be the object itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_ENVELOPE_BYTES, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(json.dumps(data) if isinstance(data, dict) else data)
