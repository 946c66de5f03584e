"""Pages that need to know what runs."""

from django.urls import path

from deployments.views import deployment, lists, overview, plugin, start, tenant, version

urlpatterns = [
    path("", overview.show, name="overview"),
    path("live/", overview.live, name="overview-live"),
    path("deploy/", start.show, name="start-deployment"),
    path("deployments/", lists.deployments, name="deployments"),
    path("deployments/<uuid:pk>/", deployment.show, name="deployment"),
    path("deployments/<uuid:pk>/live/", deployment.live, name="deployment-live"),
    path("deployments/<uuid:pk>/<slug:kind>/", deployment.command, name="deployment-command"),
    path("plugins/", lists.plugins, name="plugins"),
    path("plugins/<str:name>/", plugin.show, name="plugin"),
    path("plugins/<str:name>/<str:version>/", version.show, name="version"),
    path("plugins/<str:name>/<str:version>/live/", version.live, name="version-live"),
    path("tenants/<slug:slug>/", tenant.show, name="tenant"),
]
