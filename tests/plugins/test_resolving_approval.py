"""What an approval has to do with a resolution, and how one is asked for again."""

import pytest

from hotswap.lib.errors import ConflictError
from observability.models import AuditEvent
from plugins.models import PluginVersion, Resolution, VersionStatus
from plugins.resolutions import request_again
from plugins.services import approve_version, revoke_version
from plugins.tasks import resolve_dependencies
from tests.factories import make_installation, make_route

pytestmark = pytest.mark.django_db


def test_an_approval_waits_for_the_resolution(index, upload, carol):
    index.add("lib")
    version = upload("lib")
    with pytest.raises(ConflictError) as caught:
        approve_version(version=version, by=carol)
    assert caught.value.code == "dependencies_unresolved"
    resolve_dependencies()
    version.refresh_from_db()
    approve_version(version=version, by=carol)
    assert version.approval["lock_digest"] == version.lock_digest


def test_an_approval_of_packages_that_changed_meanwhile_is_refused(index, resolve, carol):
    index.add("lib")
    version, _ = resolve("lib")
    PluginVersion.objects.filter(pk=version.pk).update(lock_digest="1" * 64)
    with pytest.raises(ConflictError) as caught:
        approve_version(version=version, by=carol)
    assert caught.value.code == "dependencies_unresolved"


def test_a_new_resolution_with_other_packages_voids_the_approval(index, resolve, bob, carol):
    index.add("lib")
    version, _ = resolve("lib")
    approve_version(version=version, by=carol)
    index.add("lib", "1.1")

    request_again(version=version, by=bob)
    resolve_dependencies()

    before, version = version.lock_digest, PluginVersion.objects.get()
    assert version.lock_digest != before
    assert (version.status, version.approval, version.approval_signature) == ("draft", None, "")
    assert AuditEvent.objects.filter(action="version.approval_voided").exists()
    assert approve_version(version=version, by=carol).status == VersionStatus.APPROVED


def test_a_new_resolution_to_the_same_packages_leaves_the_approval(index, resolve, bob, carol):
    index.add("lib")
    version, _ = resolve("lib")
    approve_version(version=version, by=carol)
    request_again(version=version, by=bob)
    resolve_dependencies()
    assert PluginVersion.objects.get().status == VersionStatus.APPROVED


def test_a_version_that_runs_is_not_resolved_again(index, resolve, bob, carol):
    index.add("lib")
    version, _ = resolve("lib")
    approve_version(version=version, by=carol)
    make_route(version.plugin, stable=version)
    with pytest.raises(ConflictError) as caught:
        request_again(version=version, by=bob)
    assert (caught.value.code, "runs in qa" in caught.value.message) == ("version_runs", True)


def test_a_version_that_a_tenant_pinned_is_not_resolved_again(index, resolve, bob, carol, acme):
    index.add("lib")
    version, _ = resolve("lib")
    approve_version(version=version, by=carol)
    make_installation(acme, version.plugin, pinned_version=version, pin_reason="They like it")
    with pytest.raises(ConflictError) as caught:
        request_again(version=version, by=bob)
    assert caught.value.code == "version_runs"


def test_a_version_revoked_meanwhile_does_not_come_back_as_a_draft(index, resolve, bob, carol):
    index.add("lib")
    version, _ = resolve("lib")
    approve_version(version=version, by=carol)
    request_again(version=version, by=bob)
    revoke_version(version=version, by=carol, comment="It leaks")
    index.add("lib", "1.1")
    resolve_dependencies()
    row = PluginVersion.objects.get()
    assert (row.status, row.lock_digest) == ("revoked", version.lock_digest)
    assert Resolution.objects.get().problem["code"] == "version_status"


def test_a_failed_resolution_can_be_tried_again(index, resolve, bob):
    index.add("app", requires=["lib"])
    version, resolution = resolve("app")
    assert (resolution.status, resolution.problem["code"]) == ("failed", "dependency_not_found")

    index.add("lib")
    again = request_again(version=version, by=bob)
    assert (again.status, again.attempt, again.problem) == ("pending", 2, None)
    resolve_dependencies()

    version.refresh_from_db()
    resolution.refresh_from_db()
    assert (resolution.status, bool(version.lock_digest)) == ("resolved", True)


def test_asking_again_while_one_waits_changes_nothing(upload, index, bob):
    version = upload("lib")
    assert request_again(version=version, by=bob).attempt == 1
