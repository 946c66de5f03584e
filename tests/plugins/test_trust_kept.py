"""The bill of materials in a version's row, from its upload to its lock."""

import pytest

from plugins.locks import LockedPackage
from plugins.models import DependencyLock, PluginVersion, Resolution, ResolutionStatus
from plugins.resolving.attempts import finish
from plugins.trust.taken_in import record_packages
from tests.factories import make_plugin, make_version
from tests.plugins.test_trust_sbom import PACKAGES, WITH_BABEL, libraries, sbom

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    row = make_version(make_plugin())
    PluginVersion.objects.update(sbom=sbom(**WITH_BABEL))
    row.refresh_from_db()
    return row


@pytest.fixture
def lock():
    return DependencyLock.objects.create(digest="a" * 64, packages=PACKAGES)


def test_a_lock_completes_the_bill_once(version, lock):
    record_packages(version, lock)
    record_packages(version, lock)

    version.refresh_from_db()
    assert libraries(version.sbom) == {"babel": "2.14.0", "tzdata": "2025.1"}
    assert version.sbom["version"] == 2


def test_a_version_without_a_bill_stays_without(version, lock):
    PluginVersion.objects.update(sbom=None)
    version.refresh_from_db()
    record_packages(version, lock)

    version.refresh_from_db()
    assert version.sbom is None


def test_a_finished_resolution_completes_it(version):
    row = Resolution.objects.create(version=version, status=ResolutionStatus.RUNNING)
    finish(row, [LockedPackage(**{**each, "requires": ()}) for each in PACKAGES])

    version.refresh_from_db()
    assert libraries(version.sbom) == {"babel": "2.14.0", "tzdata": "2025.1"}
