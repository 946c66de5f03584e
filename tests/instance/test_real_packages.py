"""The example with real packages, one of them compiled, from the index that pip uses here."""

import httpx
import pytest
from django.core.files.base import ContentFile

from deployments.models import Route
from hotswap.embedded.package_index import index_settings
from plugins.generation import routable_change
from plugins.models import DependencyLock, Resolution
from plugins.packing import build_artifact
from plugins.services import approve_version, register_plugin, upload_version
from plugins.tasks import resolve_dependencies
from tenants.services import enable_installation
from tests.plugins.example_plugins import EXAMPLES
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
NAME = "payment-matcher"


@pytest.fixture
def version(place, settings):
    """Uploaded, resolved from the real index, approved."""
    found = index_settings({})
    settings.INDEX_URL = found["HOTSWAP_INDEX_URL"]
    settings.INDEX_FILE_HOSTS = found.get("HOTSWAP_INDEX_FILE_HOSTS", "").split(",")
    plugin = register_plugin(name=NAME, summary="Matches payments", by=place.bob)
    artifact = ContentFile(build_artifact(EXAMPLES / NAME / "1.0.0"), name="matcher.zip")
    version = upload_version(plugin=plugin, file=artifact, by=place.bob)
    resolve_dependencies()
    resolution = Resolution.objects.get(version=version)
    assert resolution.status == "resolved", resolution.problem
    version.refresh_from_db()
    return approve_version(version=version, by=place.carol)


PARAMETERS = {
    "payments": [
        {
            "amount": "99.00",
            "currency": "EUR",
            "date": "1 May 2026",
            "payer": "Ada Ltd",
            "reference": "inv 77 1",
        }
    ],
    "invoices": [
        {"number": "INV-771", "customer": "ADA Ltd.", "total": "100.00", "currency": "EUR"}
    ],
}


def test_the_example_with_compiled_dependencies_resolves_loads_and_answers(place, version):
    lock = DependencyLock.objects.get(digest=version.lock_digest)
    names = {package["name"] for package in lock.packages}
    assert names >= {"babel", "python-dateutil", "rapidfuzz"}
    assert any("any.whl" not in package["filename"] for package in lock.packages)

    enable_installation(
        tenant=place.tenants["acme"],
        plugin=version.plugin,
        environment=place.environment,
        by=place.ada,
    )
    with routable_change(place.environment) as change:
        route = Route.objects.create(
            plugin=version.plugin, environment=place.environment, stable=version
        )
        change.touch(route)
    instance = place.start()
    placed = place.wait_placed(version)
    wait_until(lambda: place.wait_placed(version).probe, what="the manifest's examples answered")
    placed.refresh_from_db()
    assert placed.probe == {"ok": True, "failures": []}

    answer = httpx.post(
        f"{instance.url}/api/v1/tenants/acme/plugins/{NAME}/invoke",
        json={"method": "match", "parameters": PARAMETERS},
        headers={"Authorization": f"Bearer {place.keys['acme']}"},
        timeout=20,
    )
    (match,) = answer.json()["result"]["matches"]
    assert (match["invoice"], match["date"]) == ("INV-771", "2026-05-01")
