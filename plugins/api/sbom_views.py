"""A version's bill of materials over HTTP."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hotswap.lib.errors import NotFoundError
from plugins.models import PluginVersion
from plugins.trust.sbom import CONTENT_TYPE


class CycloneDxRenderer(JSONRenderer):
    media_type = CONTENT_TYPE
    format = "cyclonedx"


class SbomView(APIView):
    permission_classes = (IsAuthenticated,)
    renderer_classes = (CycloneDxRenderer, JSONRenderer)

    @extend_schema(responses={(200, CONTENT_TYPE): OpenApiTypes.OBJECT})
    def get(self, request: Request, plugin_name: str, version: str) -> Response:
        """CycloneDX 1.6: the plugin, its files and its Python packages, with their sha256."""
        rows = PluginVersion.objects.select_related("plugin")
        row = get_object_or_404(rows, plugin__name=plugin_name, version=version)
        if row.sbom is None:
            raise NotFoundError(
                f"{row} was uploaded before bills of materials were kept: upload a new version."
            )
        return Response(row.sbom, content_type=CONTENT_TYPE)
