"""Deployments: planned, requested, watched and steered."""

from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments import services
from deployments.api import serializers
from deployments.api.filters import DeploymentFilter
from deployments.api.reading import read_body
from deployments.approvals import refuse_own
from deployments.commands import NOT_ABOUT_OWN_WORK, CommandKind
from deployments.models import Deployment
from deployments.rights import may_command
from deployments.strategies import STRATEGIES
from deployments.visibility import visible_deployments
from hotswap.lib.api.credentials import KeyScope
from hotswap.lib.api.permissions import CanRequestDeployments
from hotswap.lib.errors import ForbiddenError
from plugins.api.idempotency import idempotent


class DeploymentPlan(APIView):
    permission_classes = (CanRequestDeployments,)

    @extend_schema(
        request=serializers.PlanRequestSerializer, responses=serializers.PreviewSerializer
    )
    def post(self, request: Request) -> Response:
        """What a deployment would do: its steps, the tenants, who cannot move. Changes nothing."""
        values = read_body(serializers.PlanRequestSerializer, request)
        preview = services.plan_deployment(**values)
        return Response(serializers.PreviewSerializer(preview).data)


class DeploymentList(generics.ListAPIView[Deployment]):
    """The newest first; a tenant's people see those of the plugins that their tenants use."""

    serializer_class = serializers.DeploymentSerializer
    filterset_class = DeploymentFilter
    queryset = Deployment.objects.none()

    def get_queryset(self) -> Any:
        return visible_deployments(self.request.user).prefetch_related("steps")

    def get_permissions(self) -> list[Any]:
        extra = [CanRequestDeployments()] if self.request.method == "POST" else []
        return [*super().get_permissions(), *extra]

    @extend_schema(
        request=serializers.DeploymentRequestSerializer,
        responses={202: serializers.DeploymentDetailSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Request a deployment; it begins by itself once nobody has to approve it any more."""
        values = read_body(serializers.DeploymentRequestSerializer, request)
        by: Any = request.user
        return _accepted(services.start_deployment(**values, by=by), request)


class DeploymentDetail(generics.RetrieveAPIView[Deployment]):
    """One deployment with its steps and how its two versions do."""

    serializer_class = serializers.DeploymentDetailSerializer
    queryset = Deployment.objects.none()

    def get_queryset(self) -> Any:
        return visible_deployments(self.request.user).prefetch_related("steps")


class DeploymentCommandView(APIView):
    """``kind`` is what is asked; approving and rejecting is for people, so no key can."""

    kind: ClassVar[CommandKind] = CommandKind.PAUSE
    key_scope = KeyScope.WRITE

    @extend_schema(
        request=serializers.CommandSerializer,
        responses={202: serializers.DeploymentDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask this of the deployment. Asking for what is so already changes nothing."""
        by: Any = request.user
        deployment = get_object_or_404(visible_deployments(by), pk=pk)
        _check_right(by, deployment, self.kind)
        said = read_body(serializers.CommandSerializer, request)
        if self.kind is CommandKind.ROLLBACK:
            deployment = services.rollback_deployment(deployment=deployment, by=by)
        else:
            services.request_command(deployment=deployment, kind=self.kind, by=by, arguments=said)
        return _accepted(deployment, request)


class StrategyList(APIView):
    pagination_class = None

    @extend_schema(responses=serializers.StrategySerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every strategy with its options."""
        found = [
            {
                "name": each.name,
                "label": each.label,
                "summary": (each.__doc__ or "").strip().splitlines()[0],
                "options": each.options(),
            }
            for each in STRATEGIES.values()
        ]
        return Response(serializers.StrategySerializer(found, many=True).data)


def _check_right(user: Any, deployment: Deployment, kind: CommandKind) -> None:
    if kind in NOT_ABOUT_OWN_WORK:
        refuse_own(deployment, user, kind)
    if not may_command(user, deployment, kind):
        raise ForbiddenError(
            f"You may not {kind} deployment {deployment.pk}: an Approver or an Admin may"
            f"{'' if kind in NOT_ABOUT_OWN_WORK else ', and whoever it belongs to'}."
        )


def _accepted(deployment: Deployment, request: Request) -> Response:
    row = visible_deployments(request.user).prefetch_related("steps").get(pk=deployment.pk)
    body = serializers.DeploymentDetailSerializer(row, context={"request": request}).data
    place = f"/api/v1/deployments/{row.pk}"
    return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": place})
