"""A plugin's versions over HTTP: upload, read, decide."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from hotswap.lib.api.credentials import KeyScope
from hotswap.lib.api.parsers import UploadParser
from plugins import services
from plugins.api import serializers
from plugins.api.filters import VersionFilter
from plugins.api.idempotency import idempotent
from plugins.api.permissions import CanApproveVersions, CanRegisterPlugins
from plugins.models import Plugin, PluginVersion
from plugins.rules import check_may_edit

Service = Callable[..., PluginVersion]
DECISIONS = ("approve", "reject", "deprecate", "yank", "revoke")
_DECISION = extend_schema(
    request=serializers.CommentSerializer, responses=serializers.VersionDetailSerializer
)


class VersionViewSet(GenericViewSet[PluginVersion]):
    """One immutable artifact of a plugin each."""

    queryset = PluginVersion.objects.for_list()
    serializer_class = serializers.VersionSerializer
    filterset_class = VersionFilter
    lookup_field = "version"
    lookup_value_regex = "[^/]+"
    key_scopes = dict.fromkeys(DECISIONS, KeyScope.NONE)
    rate_classes = {"create": "upload"}

    def get_permissions(self) -> list[Any]:
        if self.action in DECISIONS:
            return [CanApproveVersions()]
        if self.action == "create":
            return [CanRegisterPlugins()]
        return [IsAuthenticated()]

    def get_parsers(self) -> list[Any]:
        # A request is given its parsers before the view knows its action.
        request = getattr(self, "request", None)
        method = (request.method or "").lower() if request else ""
        if getattr(self, "action_map", {}).get(method) == "create":
            return [UploadParser()]
        return super().get_parsers()

    def get_queryset(self) -> QuerySet[PluginVersion]:
        name = self.kwargs.get("plugin_name", "")
        return super().get_queryset().filter(plugin__name=name)

    @extend_schema(responses=serializers.VersionSerializer(many=True))
    def list(self, request: Request, plugin_name: str) -> Response:
        get_object_or_404(Plugin, name=plugin_name)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": serializers.UploadSerializer},
        responses={201: serializers.VersionDetailSerializer},
    )
    def create(self, request: Request, plugin_name: str) -> Response:
        plugin = get_object_or_404(Plugin.objects.select_related("owner"), name=plugin_name)
        # Before the body is read: it may be long.
        check_may_edit(request.user, plugin)
        given = serializers.UploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = services.upload_version(
            plugin=plugin,
            file=given.validated_data["artifact"],
            by=request.user,
            beside=given.beside(),
        )
        response = self._render(version, status.HTTP_201_CREATED)
        response["Location"] = f"{request.path}/{version.version}"
        return response

    @extend_schema(responses=serializers.VersionDetailSerializer)
    def retrieve(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._render(self.get_object())

    @_DECISION
    @action(detail=True, methods=["post"])
    @idempotent
    def approve(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._decide(services.approve_version)

    @_DECISION
    @action(detail=True, methods=["post"])
    @idempotent
    def reject(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._decide(services.reject_version)

    @_DECISION
    @action(detail=True, methods=["post"])
    @idempotent
    def deprecate(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._decide(services.deprecate_version)

    @_DECISION
    @action(detail=True, methods=["post"])
    @idempotent
    def yank(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._decide(services.yank_version)

    @_DECISION
    @action(detail=True, methods=["post"])
    @idempotent
    def revoke(self, request: Request, plugin_name: str, version: str) -> Response:
        return self._decide(services.revoke_version)

    def _decide(self, decide: Service) -> Response:
        given = serializers.CommentSerializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        version = decide(
            version=self.get_object(),
            by=self.request.user,
            comment=given.validated_data["comment"],
        )
        return self._render(version)

    def _render(self, version: PluginVersion, code: int = status.HTTP_200_OK) -> Response:
        return Response(serializers.VersionDetailSerializer(version).data, code)
