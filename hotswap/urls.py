"""The site as a contents page."""

from django.contrib import admin
from django.urls import include, path
from django_prometheus.exports import ExportToDjangoView

from hotswap.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", ExportToDjangoView, name="metrics"),
    path("api/v1/", include("hotswap.api")),
    path("admin/", admin.site.urls),
    path("", include("hotswap.pages")),
]

handler400 = "hotswap.lib.api.handlers.bad_request"
handler403 = "hotswap.lib.api.handlers.forbidden"
handler404 = "hotswap.lib.api.handlers.not_found"
handler500 = "hotswap.lib.api.handlers.server_error"
