"""Publishers' keys over HTTP: one's own, and all of them for an Admin."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from hotswap.lib.api.credentials import KeyScope
from plugins.api import trust_serializers as serializers
from plugins.api.idempotency import idempotent
from plugins.api.permissions import CanRegisterPlugins
from plugins.models import PublisherKey
from plugins.trust.publisher_keys import (
    register_publisher_key,
    revoke_publisher_key,
    visible_keys,
)


class PublisherKeyViewSet(GenericViewSet[PublisherKey]):
    """What versions are signed with. No API key can add one: whoever has it could then sign."""

    queryset = PublisherKey.objects.none()
    serializer_class = serializers.PublisherKeySerializer
    permission_classes = (CanRegisterPlugins,)
    filter_backends = ()
    lookup_field = "key_id"
    key_scopes = {"create": KeyScope.NONE}

    def get_queryset(self) -> QuerySet[PublisherKey]:
        return visible_keys(self.request.user)

    @extend_schema(responses=serializers.PublisherKeySerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=serializers.RegisterKeySerializer,
        responses={201: serializers.PublisherKeySerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        values = _read(serializers.RegisterKeySerializer, request)
        key = register_publisher_key(by=request.user, **values)
        return Response(self.get_serializer(key).data, status.HTTP_201_CREATED)

    @extend_schema(request=serializers.RevokeKeySerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def revoke(self, request: Request, key_id: str) -> Response:
        values = _read(serializers.RevokeKeySerializer, request)
        key = revoke_publisher_key(key=self.get_object(), by=request.user, **values)
        return Response(self.get_serializer(key).data)


def _read(serializer_class: type[serializers.StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
