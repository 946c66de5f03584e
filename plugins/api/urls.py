"""The registry's addresses. No trailing slashes."""

from typing import Any

from django.urls import path

from plugins.api.dependency_views import DependencyGraphView
from plugins.api.download_views import DownloadView
from plugins.api.owner_views import OwnerViewSet
from plugins.api.publisher_key_views import PublisherKeyViewSet
from plugins.api.resolution_views import ResolutionViewSet
from plugins.api.sbom_views import SbomView
from plugins.api.upload_views import UploadContentViewSet, UploadViewSet
from plugins.api.version_views import DECISIONS, VersionViewSet
from plugins.api.views import EnvironmentViewSet, PluginViewSet

_VERSIONS = "plugins/<str:plugin_name>/versions"
_ONE = f"{_VERSIONS}/<str:version>"
_UPLOADS = f"{_VERSIONS}/uploads"
_CHANGES: dict[str, Any] = {
    "get": "retrieve",
    "put": "update",
    "patch": "partial_update",
    "delete": "destroy",
}

urlpatterns = [
    path("plugins", PluginViewSet.as_view({"get": "list", "post": "create"}), name="plugins"),
    path("plugins/<str:name>", PluginViewSet.as_view(_CHANGES), name="plugin"),
    path("plugins/<str:name>/deprecate", PluginViewSet.as_view({"post": "deprecate"})),
    path("plugins/<str:name>/owners", OwnerViewSet.as_view({"get": "list", "post": "create"})),
    path("plugins/<str:name>/owners/<str:username>", OwnerViewSet.as_view({"delete": "destroy"})),
    path(_VERSIONS, VersionViewSet.as_view({"get": "list", "post": "create"}), name="versions"),
    path(_UPLOADS, UploadViewSet.as_view({"post": "create"})),
    path(f"{_UPLOADS}/<uuid:id>/content", UploadContentViewSet.as_view({"put": "put"})),
    path(f"{_UPLOADS}/<uuid:id>/complete", UploadViewSet.as_view({"post": "complete"})),
    path(_ONE, VersionViewSet.as_view({"get": "retrieve"}), name="version"),
    path(f"{_ONE}/download", DownloadView.as_view(), name="download"),
    path(f"{_ONE}/dependencies", DependencyGraphView.as_view(), name="dependencies"),
    path(f"{_ONE}/sbom", SbomView.as_view(), name="sbom"),
    path(
        f"{_ONE}/resolution",
        ResolutionViewSet.as_view({"get": "retrieve", "post": "create"}),
        name="resolution",
    ),
    *(path(f"{_ONE}/{verb}", VersionViewSet.as_view({"post": verb})) for verb in DECISIONS),
    path("publisher-keys", PublisherKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("publisher-keys/<str:key_id>/revoke", PublisherKeyViewSet.as_view({"post": "revoke"})),
    path("environments", EnvironmentViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "environments/<str:name>",
        EnvironmentViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("environments/<str:name>/freeze", EnvironmentViewSet.as_view({"post": "freeze"})),
    path("environments/<str:name>/unfreeze", EnvironmentViewSet.as_view({"post": "unfreeze"})),
]
