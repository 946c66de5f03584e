"""A tenant's plugins in one environment, for its owners and Admins."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments import installations
from deployments.api import installation_serializers as serializers
from deployments.api.reading import read_body, read_environment
from deployments.call_metrics import calls_this_minute
from deployments.serving import serving_of, serving_of_all
from hotswap.lib.api.credentials import SAFE_METHODS
from hotswap.lib.api.etag import wanted_revision, with_etag
from hotswap.lib.errors import ForbiddenError
from hotswap.lib.roles import is_admin
from plugins.api.idempotency import idempotent
from plugins.models import Environment, Plugin
from tenants import services
from tenants.access import find_own_tenant
from tenants.models import Tenant, TenantPluginConfig, TenantSecret
from tenants.quotas import quotas_of

ENVIRONMENT = OpenApiParameter(
    "environment", str, description="The installation's; the tenant's home environment by default."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was read."
)


class _OfTenant(APIView):
    """``?environment=`` and the tenant of the path, for whoever may act for it."""

    def find_tenant(self) -> Tenant:
        return find_own_tenant(self.request.user, self.kwargs["slug"])

    def find_environment(self, tenant: Tenant) -> Environment:
        return read_environment(self.request, default=tenant.home_environment)

    def find_installation(self) -> TenantPluginConfig:
        tenant = self.find_tenant()
        environment = self.find_environment(tenant)
        return installations.find_installation(tenant, self.kwargs["name"], environment)


class InstallationList(_OfTenant, generics.ListAPIView[TenantPluginConfig]):
    """What is installed, which version serves it now, and why that one."""

    serializer_class = serializers.InstallationSerializer
    queryset = TenantPluginConfig.objects.none()
    filter_backends = ()

    def get_queryset(self) -> "QuerySet[TenantPluginConfig]":
        tenant = self.find_tenant()
        rows = TenantPluginConfig.objects.for_tenant(tenant).in_environment(
            self.find_environment(tenant)
        )
        related = rows.select_related(
            "plugin__replacement", "environment", "pinned_version__plugin"
        )
        return related.prefetch_related("secrets").order_by("plugin__name")

    @extend_schema(parameters=[ENVIRONMENT])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.get_queryset()) or []
        context = {"serving": serving_of_all(rows)}
        shown = serializers.InstallationSerializer(rows, many=True, context=context)
        return self.get_paginated_response(shown.data)


class InstallationDetail(_OfTenant):
    @extend_schema(parameters=[ENVIRONMENT], responses=serializers.InstallationSerializer)
    def get(self, request: Request, slug: str, name: str) -> Response:
        """One installation; its ETag is what ``If-Match`` takes."""
        return _shown(self.find_installation())


class Enabling(_OfTenant):
    @extend_schema(
        parameters=[ENVIRONMENT],
        request=serializers.EnableSerializer,
        responses=serializers.InstallationSerializer,
    )
    @idempotent
    def post(self, request: Request, slug: str, name: str) -> Response:
        """Install the plugin, or enable it again with what was configured before."""
        tenant = self.find_tenant()
        values = read_body(serializers.EnableSerializer, request)
        row = installations.enable_plugin(
            tenant=tenant,
            plugin=get_object_or_404(Plugin, name=name),
            environment=self.find_environment(tenant),
            by=request.user,
            **values,
        )
        return _shown(row)


class Disabling(_OfTenant):
    @extend_schema(
        parameters=[ENVIRONMENT], request=None, responses=serializers.InstallationSerializer
    )
    @idempotent
    def post(self, request: Request, slug: str, name: str) -> Response:
        """Refuse calls; config, secrets and pin stay."""
        row = services.disable_installation(installation=self.find_installation(), by=request.user)
        return _shown(row)


class Config(_OfTenant):
    @extend_schema(
        parameters=[ENVIRONMENT, IF_MATCH],
        request=serializers.ConfigSerializer,
        responses=serializers.InstallationSerializer,
    )
    def put(self, request: Request, slug: str, name: str) -> Response:
        """Replace the config by one that fits the schema of the version that serves the tenant."""
        row = self.find_installation()
        given = read_body(serializers.ConfigSerializer, request)
        return self._change(row, given["config"])

    @extend_schema(
        parameters=[ENVIRONMENT, IF_MATCH],
        request=serializers.ConfigPatchSerializer,
        responses=serializers.InstallationSerializer,
    )
    def patch(self, request: Request, slug: str, name: str) -> Response:
        """Change parts of the config."""
        row = self.find_installation()
        given = read_body(serializers.ConfigPatchSerializer, request)
        return self._change(row, _merge(row.config, given["config"]), row.revision)

    def _change(
        self, row: TenantPluginConfig, config: Mapping[str, Any], revision: int | None = None
    ) -> Response:
        wanted = wanted_revision(self.request)
        changed = installations.change_config(
            installation=row,
            config=config,
            by=self.request.user,
            if_revision=revision if wanted is None else wanted,
        )
        return _shown(changed)


class Pin(_OfTenant):
    @extend_schema(
        parameters=[ENVIRONMENT, IF_MATCH],
        request=serializers.NewPinSerializer,
        responses=serializers.InstallationSerializer,
    )
    def put(self, request: Request, slug: str, name: str) -> Response:
        """Keep the tenant on a version that is or was stable there, or is being deployed."""
        row = installations.pin_version(
            installation=self.find_installation(),
            by=request.user,
            if_revision=wanted_revision(request),
            **read_body(serializers.NewPinSerializer, request),
        )
        return _shown(row)

    @extend_schema(parameters=[ENVIRONMENT, IF_MATCH], responses={204: None})
    def delete(self, request: Request, slug: str, name: str) -> Response:
        """Follow the stable version again."""
        services.unpin_installation(
            installation=self.find_installation(),
            by=request.user,
            if_revision=wanted_revision(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretList(_OfTenant, generics.ListAPIView[TenantSecret]):
    """Names and dates of the secrets; no value can be read."""

    serializer_class = serializers.SecretSerializer
    queryset = TenantSecret.objects.none()
    filter_backends = ()

    def get_queryset(self) -> "QuerySet[TenantSecret]":
        return TenantSecret.objects.filter(installation=self.find_installation()).order_by("key")

    @extend_schema(parameters=[ENVIRONMENT])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class SecretDetail(_OfTenant):
    # Not replayed by Idempotency-Key: what was sent must leave no trace but the ciphertext.
    @extend_schema(
        parameters=[ENVIRONMENT],
        request=serializers.NewSecretSerializer,
        responses=serializers.SecretSerializer,
    )
    def put(self, request: Request, slug: str, name: str, key: str) -> Response:
        """Set the value; running plugins get it between two calls."""
        row = self.find_installation()
        values = read_body(serializers.NewSecretSerializer, request)
        services.set_secret(installation=row, key=key, by=request.user, **values)
        stored = TenantSecret.objects.get(installation=row, key=key)
        return Response(serializers.SecretSerializer(stored).data)

    @extend_schema(parameters=[ENVIRONMENT], responses={204: None})
    def delete(self, request: Request, slug: str, name: str, key: str) -> Response:
        """Forget the value."""
        services.delete_secret(installation=self.find_installation(), key=key, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class QuotasView(_OfTenant):
    @extend_schema(parameters=[ENVIRONMENT], responses=serializers.QuotasSerializer)
    def get(self, request: Request, slug: str, name: str) -> Response:
        """The limits in force and what is used of them."""
        return _quotas(self.find_installation())

    @extend_schema(
        parameters=[ENVIRONMENT, IF_MATCH],
        request=serializers.NewQuotasSerializer,
        responses=serializers.QuotasSerializer,
    )
    def put(self, request: Request, slug: str, name: str) -> Response:
        """Set the limits; only an Admin may."""
        row = services.set_quotas(
            installation=self.find_installation(),
            by=request.user,
            if_revision=wanted_revision(request),
            **read_body(serializers.NewQuotasSerializer, request),
        )
        return _quotas(row)

    def find_tenant(self) -> Tenant:
        tenant = super().find_tenant()
        if self.request.method not in SAFE_METHODS and not is_admin(self.request.user):
            raise ForbiddenError("Only an Admin may change quotas.")
        return tenant


def _shown(row: TenantPluginConfig) -> Response:
    context = {"serving": {row.pk: serving_of(row)}}
    body = serializers.InstallationSerializer(row, context=context).data
    return with_etag(Response(body), row.revision)


def _quotas(row: TenantPluginConfig) -> Response:
    limits = quotas_of(row)
    used = calls_this_minute(row, timezone.now())
    body = serializers.QuotasSerializer(
        {
            "requests_per_minute": limits.requests_per_minute,
            "concurrency": limits.concurrency,
            "calls_this_minute": used,
        }
    )
    return with_etag(Response(body.data), row.revision)


def _merge(before: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(before) if isinstance(before, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged
