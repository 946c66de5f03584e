"""Resolutions over HTTP: what everybody may see and who may ask for another."""

import pytest

from plugins.models import DependencyLock, PluginVersion, Resolution, ResolutionStatus
from tests.artifacts import manifest_data
from tests.factories import make_plugin, make_user, make_version

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions/1.0.0/resolution"
PROBLEM = {"code": "dependency_not_found", "message": "No such thing.", "fields": {}}


@pytest.fixture
def version(bob):
    manifest = manifest_data(dependencies={"python": ["lib"], "plugins": []})
    return make_version(make_plugin("echo", owner=bob), manifest=manifest, status="draft")


@pytest.fixture
def resolution(version):
    progress = [{"at": "2026-01-01T00:00:00+00:00", "message": "Looking at lib"}]
    return Resolution.objects.create(
        version=version, status=ResolutionStatus.FAILED, progress=progress, problem=PROBLEM
    )


def test_everybody_sees_how_far_it_is_and_what_went_wrong(as_user, victor, resolution):
    answer = as_user(victor).get(ADDRESS)
    found = answer.json()
    assert (answer.status_code, found["status"], found["attempt"]) == (200, "failed", 1)
    assert found["progress"][0]["message"] == "Looking at lib"
    assert found["problem"] == {"code": PROBLEM["code"], "message": PROBLEM["message"]}
    assert (found["lock_digest"], found["packages"]) == ("", [])


def test_a_finished_one_lists_the_locked_packages(as_user, victor, resolution):
    row = {
        "name": "lib",
        "version": "1.0",
        "filename": "lib-1.0-py3-none-any.whl",
        "sha256": "a" * 64,
        "bytes": 12,
        "requires": [],
    }
    DependencyLock.objects.create(digest="b" * 64, packages=[row])
    PluginVersion.objects.update(lock_digest="b" * 64)
    (package,) = as_user(victor).get(ADDRESS).json()["packages"]
    size = row.pop("bytes")
    assert package == {**row, "size_bytes": size}


def test_its_owner_asks_for_another_attempt(as_user, bob, resolution):
    answer = as_user(bob).post(ADDRESS)
    found = answer.json()
    assert (answer.status_code, found["status"], found["attempt"]) == (202, "pending", 2)
    assert (found["problem"], found["progress"]) == (None, [])


@pytest.mark.parametrize(("who", "role"), [("victor", "Viewer"), ("dora", "Developer")])
def test_nobody_else_does(as_user, resolution, who, role):
    answer = as_user(make_user(who, role=role)).post(ADDRESS)
    resolution.refresh_from_db()
    assert (answer.status_code, resolution.attempt) == (403, 1)


def test_a_version_without_python_dependencies_has_none(as_user, bob):
    make_version(make_plugin("echo", owner=bob))
    assert as_user(bob).get(ADDRESS).status_code == 404
    assert as_user(bob).post(ADDRESS).status_code == 404


def test_a_revoked_version_is_not_resolved(as_user, bob, version, resolution):
    PluginVersion.objects.update(status="revoked")
    answer = as_user(bob).post(ADDRESS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "version_status")
