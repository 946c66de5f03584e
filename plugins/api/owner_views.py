"""Who may edit a plugin, over HTTP."""

from typing import Any

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from hotswap.lib.api.credentials import KeyScope
from plugins import owners
from plugins.api import serializers
from plugins.api.idempotency import idempotent
from plugins.api.permissions import CanRegisterPlugins
from plugins.models import Plugin


class OwnerViewSet(GenericViewSet[Plugin]):
    """The owner first, then the editors. Changing them takes a person, not an API key."""

    queryset = Plugin.objects.select_related("owner")
    serializer_class = serializers.HolderSerializer
    filter_backends = ()
    lookup_field = "name"
    key_scopes = {"create": KeyScope.NONE, "destroy": KeyScope.NONE}

    def get_permissions(self) -> list[Any]:
        reads = self.action == "list"
        return [IsAuthenticated(), *([] if reads else [CanRegisterPlugins()])]

    @extend_schema(responses=serializers.HolderSerializer(many=True))
    def list(self, request: Request, name: str) -> Response:
        page: Any = self.paginate_queryset(owners.holders_of(self.get_object()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=serializers.NewHolderSerializer, responses={201: serializers.HolderSerializer}
    )
    @idempotent
    def create(self, request: Request, name: str) -> Response:
        plugin = self.get_object()
        owners.check_may_share(request.user, plugin)
        given = serializers.NewHolderSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        gives_away = values["role"] == owners.Part.OWNER
        change = owners.transfer_plugin if gives_away else owners.add_editor
        change(plugin=plugin, user=values["user"], by=request.user)
        username = values["user"].get_username()
        holder = next(each for each in owners.holders_of(plugin) if each.user == username)
        return Response(self.get_serializer(holder).data, status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str, username: str) -> Response:
        user = get_object_or_404(get_user_model(), username=username)
        owners.remove_editor(plugin=self.get_object(), user=user, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
