"""Requests and answers of presigned uploads."""

from typing import Any

from rest_framework import serializers

from hotswap.lib.api.serializers import StrictSerializer
from plugins.api.serializers import BesideSerializer

MAX_SIZE = 2**63 - 1


class StartUploadSerializer(StrictSerializer):
    """``digest`` is the file's sha256 in lower-case hex; a wheel keeps its ``filename``."""

    filename = serializers.RegexField(r"\A[^/\\\x00-\x1f]*\Z", max_length=255, default="")
    digest = serializers.RegexField(r"\A[0-9a-f]{64}\Z")
    size_bytes = serializers.IntegerField(min_value=1, max_value=MAX_SIZE)


class PresignedUploadSerializer(serializers.Serializer[Any]):
    """Send the file to ``url`` with ``method`` and every one of ``headers``, then complete."""

    id = serializers.UUIDField(source="upload.pk", read_only=True)
    url = serializers.CharField(source="address.url", read_only=True)
    method = serializers.CharField(default="PUT", read_only=True)
    headers = serializers.DictField(
        source="address.headers", child=serializers.CharField(), read_only=True
    )
    expires_at = serializers.DateTimeField(source="upload.expires_at", read_only=True)


class CompleteUploadSerializer(BesideSerializer):
    """Nothing is needed; what is sent beside an artifact may be sent here."""
