"""Tokens for people, keys for automation, and one's own account."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hotswap.lib.api.credentials import KeyScope, is_api_key
from hotswap.lib.api.pagination import Pagination
from hotswap.lib.database import scope_all
from hotswap.lib.errors import ForbiddenError
from hotswap.lib.issuing import issue_access_token, issue_refresh_token
from hotswap.lib.roles import is_admin, role_name
from plugins import api_keys
from plugins.models import ApiKey
from tenants import accounts
from tenants.access import find_own_tenant, is_owner
from tenants.api import auth_serializers as serializers
from tenants.keys import issue_key
from tenants.models import Tenant, TenantMember

TAGS = ["auth"]
_TENANT = OpenApiParameter("tenant", str, description="List this tenant's keys, not your own.")


class _OpenView(APIView):
    """For whoever has no credential yet; requests are limited by address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class TokenView(_OpenView):
    @extend_schema(
        tags=TAGS,
        auth=[],
        request=serializers.PasswordGrantSerializer,
        responses=serializers.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        """Username and password for an access token and a refresh token."""
        given = _read(serializers.PasswordGrantSerializer, request)
        user = accounts.sign_in(request=request._request, **given)
        return Response({**_access(user), "refresh": issue_refresh_token(user)})


class TokenRefreshView(_OpenView):
    @extend_schema(
        tags=TAGS,
        auth=[],
        request=serializers.RefreshSerializer,
        responses=serializers.AccessSerializer,
    )
    def post(self, request: Request) -> Response:
        """A new access token, as long as the refresh token lasts."""
        given = _read(serializers.RefreshSerializer, request)
        return Response(_access(accounts.user_of_refresh_token(given["refresh"])))


class TokenRevokeView(_OpenView):
    @extend_schema(tags=TAGS, auth=[], request=serializers.RefreshSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """End every token of the refresh token's user, on all devices."""
        given = _read(serializers.RefreshSerializer, request)
        accounts.revoke_tokens(accounts.user_of_refresh_token(given["refresh"]))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _PersonView(APIView):
    """No API key may make keys or change an account."""

    key_scope: ClassVar[KeyScope] = KeyScope.NONE


class KeyListView(_PersonView):
    pagination_class = Pagination

    @extend_schema(
        tags=TAGS,
        operation_id="auth_keys_list",
        parameters=[_TENANT],
        responses=serializers.KeySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Keys that still open something; the keys themselves are never shown again."""
        paginator = self.pagination_class()
        # Chosen within the caller's own scope: another's tenant must not be found.
        keys = self._keys(request)
        with scope_all():
            page = paginator.paginate_queryset(keys, request, self)
            data = serializers.KeySerializer(page, many=True).data
        return paginator.get_paginated_response(data)

    @extend_schema(
        tags=TAGS,
        request=serializers.NewKeySerializer,
        responses={201: serializers.ShownKeySerializer},
    )
    def post(self, request: Request) -> Response:
        """A new key, of your own or of a tenant that you own."""
        given = _read(serializers.NewKeySerializer, request)
        slug = given.pop("tenant", None)
        if slug is None:
            row, key = api_keys.create_user_key(user=request.user, **given)
        else:
            tenant = find_own_tenant(request.user, slug)
            row, key = issue_key(tenant=tenant, by=request.user, **given)
        data = {**serializers.KeySerializer(row).data, "key": key}
        return Response(data, status.HTTP_201_CREATED)

    def _keys(self, request: Request) -> Any:
        slug = request.query_params.get("tenant")
        if slug is None:
            return api_keys.keys_of_user(request.user)
        return api_keys.keys_of_tenant(find_own_tenant(request.user, slug).pk)


class KeyView(_PersonView):
    @extend_schema(tags=TAGS, responses={204: None})
    def delete(self, request: Request, key_id: Any) -> Response:
        """Revoke a key of your own or of a tenant that you own."""
        with scope_all():
            key = get_object_or_404(ApiKey, pk=key_id)
        if key.user_id != request.user.pk:
            self._check_owned(request, key)
        api_keys.revoke_key(key=key, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _check_owned(self, request: Request, key: ApiKey) -> None:
        """Somebody else's key is 404 unless it is a tenant's whose owner asks."""
        tenant = Tenant.objects.filter(pk=key.tenant_id).first() if key.tenant_id else None
        if not (is_admin(request.user) or (tenant and is_owner(request.user, tenant))):
            raise Http404


class MeView(APIView):
    @extend_schema(tags=TAGS, responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Who you are here."""
        return Response(_describe(request.user))

    @extend_schema(
        tags=TAGS, request=serializers.MyChangesSerializer, responses=serializers.MeSerializer
    )
    def put(self, request: Request) -> Response:
        """Change your name, address or password; what is left out stays."""
        if is_api_key(request):
            raise ForbiddenError("No API key can do this: sign in as a person.")
        user = accounts.change_account(
            user=request.user, changes=_read(serializers.MyChangesSerializer, request)
        )
        if request.auth is None:
            update_session_auth_hash(request._request, user)
        return Response(_describe(user))


def _access(user: Any) -> dict[str, Any]:
    seconds = settings.ACCESS_TOKEN_SECONDS
    return {"access": issue_access_token(user), "expires_in_seconds": seconds}


def _describe(user: Any) -> Any:
    memberships = TenantMember.objects.none()
    if user.pk is not None:
        memberships = TenantMember.objects.filter(user=user, removed_at__isnull=True)
    return serializers.MeSerializer(
        {
            "username": user.get_username(),
            "role": role_name(user),
            "memberships": memberships.select_related("tenant"),
            **{name: getattr(user, name, "") for name in accounts.PROFILE},
        }
    ).data


def _read(serializer_class: type[serializers.StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
