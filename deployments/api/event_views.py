"""What happened to a deployment: a list, or a stream."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from deployments.api.reading import read_position
from deployments.api.serializers import EventSerializer
from deployments.api.streams import EventStream
from deployments.models import DeploymentEvent
from deployments.visibility import visible_deployments

STREAM = "text/event-stream"


class StreamRenderer(BaseRenderer):
    """Lets a browser ask for the stream; an error on the way is JSON all the same."""

    media_type = STREAM
    format = "stream"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return JSONRenderer().render(data, "application/json", renderer_context)


class EventList(generics.ListAPIView[DeploymentEvent]):
    """In order; with ``Accept: text/event-stream`` as they happen, for at most a minute."""

    serializer_class = EventSerializer
    queryset = DeploymentEvent.objects.none()
    filter_backends = ()
    renderer_classes = (JSONRenderer, StreamRenderer)

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="Only events with a higher number."),
            OpenApiParameter("Last-Event-ID", int, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/json"): EventSerializer(many=True),
            (200, STREAM): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        deployment = get_object_or_404(visible_deployments(request.user), pk=pk)
        after = read_position(request)
        if request.accepted_renderer.media_type != STREAM:
            return super().get(request, pk=pk)
        if not deployment.is_active and not self._rows(pk, after).exists():
            # What tells a browser not to come back.
            return HttpResponse(status=status.HTTP_204_NO_CONTENT)
        return EventStream(deployment.pk, after, request.user.pk)

    def get_queryset(self) -> Any:
        return self._rows(self.kwargs["pk"], read_position(self.request))

    def _rows(self, pk: UUID, after: int) -> Any:
        rows = DeploymentEvent.objects.filter(deployment=pk, sequence__gt=after)
        return rows.order_by("sequence")
