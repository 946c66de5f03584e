"""Plugins and environments over HTTP: parse, call the service, render."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from hotswap.lib.api.etag import wanted_revision, with_etag
from plugins import environments, services
from plugins.api import serializers
from plugins.api.filters import PluginFilter
from plugins.api.idempotency import idempotent
from plugins.api.permissions import CanAdminister, CanEditPlugin, CanRegisterPlugins
from plugins.models import Environment, Plugin

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was read."
)


class PluginViewSet(GenericViewSet[Plugin]):
    """What can be deployed."""

    queryset = Plugin.objects.for_list()
    serializer_class = serializers.PluginSerializer
    filterset_class = PluginFilter
    lookup_field = "name"
    permissions = {
        "create": CanRegisterPlugins,
        "update": CanEditPlugin,
        "partial_update": CanEditPlugin,
        "destroy": CanAdminister,
        "deprecate": CanAdminister,
    }

    def get_permissions(self) -> list[Any]:
        chosen = self.permissions.get(self.action)
        return [IsAuthenticated(), *([chosen()] if chosen else [])]

    @extend_schema(responses=serializers.PluginSerializer(many=True))
    def list(self, request: Request) -> Response:
        # Found by their keys first: versions are counted for this page, not for those skipped.
        rows: Any = self.filter_queryset(Plugin.objects.all())
        keys = [row.pk for row in self.paginate_queryset(rows.only("pk")) or ()]
        found = self.get_queryset().in_bulk(keys)
        page = [found[key] for key in keys if key in found]
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=serializers.RegisterPluginSerializer,
        responses={201: serializers.PluginSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        plugin = services.register_plugin(
            by=request.user, **_read(serializers.RegisterPluginSerializer, request)
        )
        response = self._render(plugin.name, status.HTTP_201_CREATED)
        response["Location"] = f"{request.path}/{plugin.name}"
        return response

    def retrieve(self, request: Request, name: str) -> Response:
        return self._render(name)

    @extend_schema(parameters=[IF_MATCH], request=serializers.PluginReplaceSerializer)
    @idempotent
    def update(self, request: Request, name: str) -> Response:
        return self._change(_read(serializers.PluginReplaceSerializer, request))

    @extend_schema(parameters=[IF_MATCH], request=serializers.PluginPatchSerializer)
    @idempotent
    def partial_update(self, request: Request, name: str) -> Response:
        return self._change(_read(serializers.PluginPatchSerializer, request))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        services.delete_plugin(plugin=self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=serializers.DeprecatePluginSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def deprecate(self, request: Request, name: str) -> Response:
        values = _read(serializers.DeprecatePluginSerializer, request)
        services.deprecate_plugin(plugin=self.get_object(), by=request.user, **values)
        return self._render(name)

    def _change(self, changes: dict[str, Any]) -> Response:
        plugin = self.get_object()
        services.update_plugin(
            plugin=plugin,
            by=self.request.user,
            changes=changes,
            if_revision=wanted_revision(self.request),
        )
        return self._render(plugin.name)

    def _render(self, name: str, code: int = status.HTTP_200_OK) -> Response:
        plugin = get_object_or_404(self.get_queryset(), name=name)
        return with_etag(Response(self.get_serializer(plugin).data, code), plugin.revision)


class EnvironmentViewSet(GenericViewSet[Environment]):
    """Where versions are deployed to, in the order of promotion."""

    queryset = Environment.objects.all()
    serializer_class = serializers.EnvironmentSerializer
    lookup_field = "name"

    def get_permissions(self) -> list[Any]:
        reads = self.action in ("list", "retrieve")
        return [IsAuthenticated() if reads else CanAdminister()]

    @extend_schema(responses=serializers.EnvironmentSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        request=serializers.NewEnvironmentSerializer,
        responses={201: serializers.EnvironmentSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        values = _read(serializers.NewEnvironmentSerializer, request)
        made = environments.create_environment(by=request.user, **values)
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=serializers.EnvironmentChangesSerializer)
    @idempotent
    def partial_update(self, request: Request, name: str) -> Response:
        changed = environments.update_environment(
            environment=self.get_object(),
            by=request.user,
            changes=_read(serializers.EnvironmentChangesSerializer, request),
        )
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=serializers.FreezeSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def freeze(self, request: Request, name: str) -> Response:
        return self._set_frozen(True)

    @extend_schema(request=serializers.FreezeSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def unfreeze(self, request: Request, name: str) -> Response:
        return self._set_frozen(False)

    def _set_frozen(self, is_frozen: bool) -> Response:
        values = _read(serializers.FreezeSerializer, self.request)
        environment = environments.set_frozen(
            environment=self.get_object(), by=self.request.user, is_frozen=is_frozen, **values
        )
        return Response(self.get_serializer(environment).data)

    def filter_queryset(self, queryset: QuerySet[Environment]) -> QuerySet[Environment]:
        return queryset


def _read(serializer_class: type[serializers.StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
