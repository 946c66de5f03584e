"""``/api/v1/``: one include per app."""

from django.urls import include, path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.permissions import AllowAny

# Tells drf-spectacular of our credentials.
import hotswap.lib.api.openapi  # noqa: F401


class SchemaView(SpectacularAPIView):
    """The API describes itself to anybody who can reach it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    rate_class = None


class DocsView(SpectacularSwaggerSplitView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    rate_class = None


class ReferenceView(SpectacularRedocView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    rate_class = None


urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(url_name="schema"), name="docs"),
    path("docs/reference", ReferenceView.as_view(url_name="schema"), name="reference"),
    path("", include("tenants.api.auth_urls")),
    path("", include("plugins.api.urls")),
    path("", include("tenants.api.urls")),
    path("", include("deployments.api.urls")),
]
