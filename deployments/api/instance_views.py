"""What runs: instances, the health and figures of plugins, and the kill switch."""

from collections.abc import Container
from dataclasses import replace
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments.api import instance_serializers as serializers
from deployments.api.reading import read_body, read_environment, read_window
from deployments.call_metrics import plugin_metrics
from deployments.health import plugin_health
from deployments.instance_views import InstanceView, instances_seen
from deployments.killing import kill_plugin, unkill_plugin
from deployments.models import Instance
from deployments.visibility import find_visible_plugin, visible_placements
from hotswap.lib.api.permissions import CanAdminister
from hotswap.lib.roles import is_staff
from plugins.api.idempotency import idempotent
from plugins.models import Plugin

ENVIRONMENT = OpenApiParameter("environment", str, required=True)
WINDOW = OpenApiParameter("window", int, description="Seconds back from now, 10 to 3600.")


class InstanceList(generics.ListAPIView[Instance]):
    """Live instances and those lately lost or stopped; what each has loaded of what you may see."""

    serializer_class = serializers.InstanceSerializer
    queryset = Instance.objects.none()
    filter_backends = ()

    @extend_schema(parameters=[OpenApiParameter("environment", str)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = instances_seen(timezone.now())
        if not is_staff(request.user):
            visible = set(visible_placements(request.user).values_list("pk", flat=True))
            rows = [_narrow(row, visible) for row in rows]
        if "environment" in request.query_params:
            wanted = read_environment(request)
            rows = [row for row in rows if row.instance.environment_id == wanted.pk]
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(serializers.InstanceSerializer(page, many=True).data)


def _narrow(row: InstanceView, visible: Container[object]) -> InstanceView:
    """Of what is loaded only what the reader's tenants use; alarms are the platform's."""
    return replace(row, placements=tuple(p for p in row.placements if p.pk in visible), alarms=())


class PluginHealthView(APIView):
    @extend_schema(parameters=[ENVIRONMENT, WINDOW], responses=serializers.HealthSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Overall, by version, by instance and check."""
        environment = read_environment(request)
        plugin = find_visible_plugin(request.user, name, environment)
        health = plugin_health(plugin, environment, read_window(request), timezone.now())
        return Response(serializers.HealthSerializer(health).data)


class PluginMetricsView(APIView):
    @extend_schema(parameters=[ENVIRONMENT, WINDOW], responses=serializers.MetricsSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Calls, failures and latencies of the last seconds, together and by version."""
        environment = read_environment(request)
        plugin = find_visible_plugin(request.user, name, environment)
        metrics = plugin_metrics(plugin, environment, read_window(request), timezone.now())
        return Response(serializers.MetricsSerializer(metrics).data)


class Killing(APIView):
    permission_classes = (CanAdminister,)

    @extend_schema(
        request=serializers.KillRequestSerializer,
        responses=serializers.KilledSerializer(many=True),
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        """Refuse every call of the plugin, in one environment or in all, within a second."""
        values = read_body(serializers.KillRequestSerializer, request)
        routes = kill_plugin(plugin=get_object_or_404(Plugin, name=name), by=request.user, **values)
        return Response(serializers.KilledSerializer(routes, many=True).data)


class Unkilling(APIView):
    permission_classes = (CanAdminister,)

    @extend_schema(
        request=serializers.KillRequestSerializer,
        responses=serializers.KilledSerializer(many=True),
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        """Let calls through again."""
        values = read_body(serializers.KillRequestSerializer, request)
        plugin = get_object_or_404(Plugin, name=name)
        routes = unkill_plugin(plugin=plugin, by=request.user, **values)
        return Response(serializers.KilledSerializer(routes, many=True).data)
