"""How the Python dependencies of a version resolve, and once more on request."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from plugins.api.idempotency import idempotent
from plugins.api.permissions import CanRegisterPlugins
from plugins.models import DependencyLock, PluginVersion, Resolution, ResolutionStatus
from plugins.resolutions import request_again, resolution_of
from plugins.tasks import hint_resolution_on_commit


class ResolutionProgressSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(read_only=True)
    message = serializers.CharField(read_only=True)


class ResolutionProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)


class LockedPackageSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(read_only=True)
    version = serializers.CharField(read_only=True)
    filename = serializers.CharField(read_only=True)
    sha256 = serializers.CharField(read_only=True)
    size_bytes = serializers.IntegerField(source="bytes", read_only=True)
    requires = serializers.ListField(child=serializers.CharField(), read_only=True)


class ResolutionSerializer(serializers.ModelSerializer[Resolution]):
    """``packages`` are those of the version's lock, which an earlier attempt may have made."""

    status = serializers.ChoiceField(ResolutionStatus.choices, read_only=True)
    progress = ResolutionProgressSerializer(many=True, read_only=True)
    problem = ResolutionProblemSerializer(read_only=True, allow_null=True)
    lock_digest = serializers.CharField(source="version.lock_digest", read_only=True)
    packages = serializers.SerializerMethodField()

    class Meta:
        model = Resolution
        fields = (
            *("status", "attempt", "progress", "problem", "lock_digest", "packages"),
            *("requested_at", "started_at", "finished_at"),
        )
        read_only_fields = fields

    @extend_schema_field(LockedPackageSerializer(many=True))
    def get_packages(self, resolution: Resolution) -> list[dict[str, Any]]:
        lock = DependencyLock.objects.filter(digest=resolution.version.lock_digest).first()
        return LockedPackageSerializer(lock.packages if lock else [], many=True).data  # type: ignore[return-value]


class ResolutionViewSet(GenericViewSet[PluginVersion]):
    """404 for a version without Python dependencies."""

    queryset = PluginVersion.objects.select_related("plugin__owner")
    serializer_class = ResolutionSerializer

    def get_permissions(self) -> list[Any]:
        return [CanRegisterPlugins()] if self.action == "create" else [IsAuthenticated()]

    @extend_schema(responses=ResolutionSerializer)
    def retrieve(self, request: Request, plugin_name: str, version: str) -> Response:
        row = self._version(plugin_name, version)
        return Response(ResolutionSerializer(resolution_of(row)).data)

    @extend_schema(request=None, responses={202: ResolutionSerializer})
    @idempotent
    def create(self, request: Request, plugin_name: str, version: str) -> Response:
        """Try again. An attempt that waits or runs goes on; an approval ends if wheels change."""
        row = self._version(plugin_name, version)
        resolution = request_again(version=row, by=request.user)
        hint_resolution_on_commit(row)
        return Response(ResolutionSerializer(resolution).data, status.HTTP_202_ACCEPTED)

    def _version(self, plugin_name: str, version: str) -> PluginVersion:
        return get_object_or_404(self.get_queryset(), plugin__name=plugin_name, version=version)
