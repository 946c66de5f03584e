"""Pages that change plugins and their versions; what shows them knows what runs as well."""

from django.urls import path

from plugins.decision_offers import OFFERS
from plugins.views import deciding, keys, registering, uploading

VERSION = "plugins/<str:name>/<str:version>/"

urlpatterns = [
    path("register/", registering.register, name="register-plugin"),
    path("publisher-keys/", keys.publisher_keys, name="publisher-keys"),
    path("publisher-keys/<slug:key_id>/revoke/", keys.revoke, name="revoke-publisher-key"),
    path("plugins/<str:name>/upload/", uploading.upload, name="upload-version"),
    path(f"{VERSION}resolve/", deciding.resolve_again, name="resolve-version"),
    path(f"{VERSION}sbom.json", deciding.materials, name="version-sbom"),
    *(
        path(f"{VERSION}{each}/", deciding.decide, {"decision": each}, name=f"{each}-version")
        for each in OFFERS
    ),
]
