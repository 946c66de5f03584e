"""Tenants for Admins, members for their owners."""

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hotswap.lib.api.credentials import SAFE_METHODS
from hotswap.lib.api.permissions import CanAdminister
from hotswap.lib.errors import NotFoundError
from tenants import services
from tenants.access import find_own_tenant, find_tenant
from tenants.api import serializers
from tenants.api.filters import TenantFilter
from tenants.models import Tenant, TenantMember


class TenantList(generics.ListAPIView[Tenant]):
    """Every tenant of the platform."""

    permission_classes = (CanAdminister,)
    serializer_class = serializers.TenantSerializer
    filterset_class = TenantFilter
    queryset = Tenant.objects.existing().select_related("home_environment")

    @extend_schema(
        request=serializers.NewTenantSerializer,
        responses={201: serializers.TenantSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a tenant; its slug is its address from then on."""
        given = serializers.NewTenantSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        tenant = services.create_tenant(**given.validated_data, by=request.user)
        return Response(serializers.TenantSerializer(tenant).data, status.HTTP_201_CREATED)


class TenantDetail(APIView):
    permission_classes = (CanAdminister,)

    @extend_schema(responses=serializers.TenantSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One tenant, for its owners too."""
        return Response(serializers.TenantSerializer(find_own_tenant(request.user, slug)).data)

    @extend_schema(
        request=serializers.TenantChangesSerializer,
        responses=serializers.TenantSerializer,
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change its name or its home environment."""
        given = serializers.TenantChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        tenant = services.update_tenant(
            tenant=find_tenant(slug), by=request.user, **given.validated_data
        )
        return Response(serializers.TenantSerializer(tenant).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """End the tenant and destroy its key: its secrets can never be read again."""
        services.delete_tenant(tenant=find_tenant(slug), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_permissions(self) -> list[Any]:
        reads = self.request.method in SAFE_METHODS
        return [IsAuthenticated() if reads else CanAdminister()]


class _TenantMove(APIView):
    permission_classes = (CanAdminister,)


class TenantSuspension(_TenantMove):
    @extend_schema(request=None, responses=serializers.TenantSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Refuse the tenant's calls and changes until it is resumed."""
        tenant = services.suspend_tenant(tenant=find_tenant(slug), by=request.user)
        return Response(serializers.TenantSerializer(tenant).data)


class TenantResumption(_TenantMove):
    @extend_schema(request=None, responses=serializers.TenantSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Let a suspended tenant call again."""
        tenant = services.resume_tenant(tenant=find_tenant(slug), by=request.user)
        return Response(serializers.TenantSerializer(tenant).data)


class MemberList(generics.ListAPIView[TenantMember]):
    """Who may act for the tenant."""

    serializer_class = serializers.MemberSerializer
    queryset = TenantMember.objects.none()
    filter_backends = ()

    def get_queryset(self) -> Any:
        tenant = find_own_tenant(self.request.user, self.kwargs["slug"])
        members = TenantMember.objects.for_tenant(tenant).filter(removed_at__isnull=True)
        return members.select_related("user").order_by("user__username")

    @extend_schema(
        request=serializers.NewMemberSerializer,
        responses={201: serializers.MemberSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a user act for the tenant: an owner manages it, a caller may only call."""
        tenant = find_own_tenant(request.user, slug)
        given = serializers.NewMemberSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = services.add_member(tenant=tenant, by=request.user, **given.validated_data)
        return Response(serializers.MemberSerializer(member).data, status.HTTP_201_CREATED)


class MemberDetail(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, username: str) -> Response:
        """Take the user's rights away; instances refuse them within 5 seconds."""
        tenant = find_own_tenant(request.user, slug)
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise NotFoundError(f"{username[:60]} is not a member of tenant {tenant}.")
        services.remove_member(tenant=tenant, user=user, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
