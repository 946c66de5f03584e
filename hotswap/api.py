"""``/api/v1/``: one include per app."""

from csp.decorators import csp_update
from django.urls import include, path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.permissions import AllowAny

# Tells drf-spectacular of our credentials.
import hotswap.lib.api.openapi  # noqa: F401

# Both pages write style elements of their own, and search in a worker made from a blob.
_styled = csp_update({"style-src": ["'self'", "'unsafe-inline'"], "worker-src": ["blob:"]})


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
    template_name = "api/reference.html"
    authentication_classes = ()
    permission_classes = (AllowAny,)
    rate_class = None


urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", _styled(DocsView.as_view(url_name="schema")), name="docs"),
    path("docs/reference", _styled(ReferenceView.as_view(url_name="schema")), name="reference"),
    path("", include("tenants.api.auth_urls")),
    path("", include("plugins.api.urls")),
    path("", include("tenants.api.urls")),
    path("", include("deployments.api.urls")),
]
