"""What a version needs of other plugins, as a graph."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plugins.api.dependency_serializers import DependencyGraphSerializer
from plugins.dependencies import dependency_graph, dependents_of
from plugins.models import PluginVersion


class DependencyGraphView(APIView):
    @extend_schema(responses=DependencyGraphSerializer)
    def get(self, request: Request, plugin_name: str, version: str) -> Response:
        """Everything that the version needs, with the best version of each; conflicts by name."""
        row = find_version(plugin_name, version)
        graph = dependency_graph(row.plugin, row)
        shown: dict[str, Any] = {
            "nodes": graph.nodes,
            "edges": graph.edges,
            "conflicts": graph.conflicts,
            "needed_by": dependents_of(row.plugin),
        }
        return Response(DependencyGraphSerializer(shown).data)


def find_version(plugin_name: str, version: str) -> PluginVersion:
    rows = PluginVersion.objects.select_related("plugin").prefetch_related("plugin_dependencies")
    row: PluginVersion = get_object_or_404(rows, plugin__name=plugin_name, version=version)
    return row
