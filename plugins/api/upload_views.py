"""Presigned uploads over HTTP: start, put, complete."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from hotswap.lib.api.parsers import content_length
from plugins import presigned
from plugins.api import serializers, upload_serializers
from plugins.api.permissions import CanRegisterPlugins
from plugins.models import Plugin, PresignedUpload
from plugins.rules import check_may_edit
from plugins.storage import PresignedPut

_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)


class UploadViewSet(GenericViewSet[PresignedUpload]):
    """Leave to put one artifact into the storage, and the version that it becomes."""

    queryset = PresignedUpload.objects.select_related("plugin__owner", "version", "created_by")
    serializer_class = upload_serializers.StartUploadSerializer
    permission_classes = [CanRegisterPlugins]
    rate_class = "upload"

    @extend_schema(responses={201: upload_serializers.PresignedUploadSerializer})
    def create(self, request: Request, plugin_name: str) -> Response:
        plugin = get_object_or_404(Plugin.objects.select_related("owner"), name=plugin_name)
        check_may_edit(request.user, plugin)
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        upload = presigned.start_upload(plugin=plugin, by=request.user, **given.validated_data)
        address = _address(request, upload)
        answer = {"upload": upload, "address": address}
        body = upload_serializers.PresignedUploadSerializer(answer).data
        return Response(body, status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[_ID],
        request=upload_serializers.CompleteUploadSerializer,
        responses={201: serializers.VersionDetailSerializer},
    )
    def complete(self, request: Request, plugin_name: str, id: Any) -> Response:
        upload = get_object_or_404(self.get_queryset(), plugin__name=plugin_name, pk=id)
        given = upload_serializers.CompleteUploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = presigned.complete_upload(upload=upload, by=request.user, beside=given.beside())
        body = serializers.VersionDetailSerializer(version).data
        response = Response(body, status.HTTP_201_CREATED)
        response["Location"] = f"/api/v1/plugins/{plugin_name}/versions/{version.version}"
        return response


class UploadContentViewSet(GenericViewSet[PresignedUpload]):
    """Where the bytes go when the storage has no addresses of its own."""

    queryset = PresignedUpload.objects.all()
    # The address is the credential, as it is at an S3 server.
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    rate_class = "upload"

    @extend_schema(
        parameters=[_ID, OpenApiParameter("signature", str, required=True)],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={204: OpenApiResponse(description="Every byte came, as it was announced.")},
    )
    def put(self, request: Request, plugin_name: str, id: Any) -> Response:
        presigned.check_signature(id, request.query_params.get("signature", ""))
        upload = get_object_or_404(self.get_queryset(), plugin__name=plugin_name, pk=id)
        presigned.receive_upload(
            upload=upload,
            announced=content_length({"request": request}),
            # Django's request ends where the body was announced to; DRF's would choose a parser.
            read=request._request.read,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _address(request: Request, upload: PresignedUpload) -> PresignedPut:
    address = presigned.address_of(upload)
    if address:
        return address
    path = f"{request.path}/{upload.pk}/content?signature={presigned.signature_of(upload.pk)}"
    headers = {"Content-Type": "application/octet-stream"}
    return PresignedPut(request.build_absolute_uri(path), headers)
