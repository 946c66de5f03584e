"""Reading versions and deciding about them."""

import pytest
from rest_framework.test import APIClient

from hotswap.lib.keys import signing_public_keys
from observability.models import AuditEvent
from plugins.approval import ApprovalError, check_subject, verify_approval
from plugins.models import Environment, PluginVersion, VersionStatus
from tests.artifacts import plugin_zip
from tests.factories import make_api_key, make_plugin, make_route, make_user, make_version

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions"


def test_an_approval_binds_what_was_read_and_is_countersigned(
    echo, upload, as_user, carol, keys_dir
):
    upload()

    answer = as_user(carol).post(f"{ADDRESS}/1.0.0/approve", {"comment": "Read it all"})

    version = PluginVersion.objects.get()
    keys = signing_public_keys(keys_dir / "public")
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer.json()["decisions"][0]["user"] == "carol"
    verify_approval(version.approval, version.approval_signature, *keys)
    check_subject(version.approval, plugin="echo", artifact_digest=version.artifact_digest)
    assert version.approval["approvers"] == [carol.pk]
    event = AuditEvent.objects.get(action="version.approved")
    assert (event.actor, event.before) == ("carol", {"status": "draft"})

    version.approval["permissions"]["native"] = True
    with pytest.raises(ApprovalError):
        verify_approval(version.approval, version.approval_signature, *keys)
    with pytest.raises(ApprovalError):
        check_subject(version.approval, plugin="other")


def refuse(client, version, verb, code, nothing_changes, status):
    with nothing_changes():
        answer = client.post(f"{ADDRESS}/{version}/{verb}", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_nobody_decides_about_their_own(as_user, ada, carol, nothing_changes, verb):
    """Also an Admin, also an owner who did not upload it."""
    version = make_version(make_plugin("echo", owner=ada), status=VersionStatus.DRAFT)
    PluginVersion.objects.filter(pk=version.pk).update(uploaded_by=carol)

    refuse(as_user(ada), "1.0.0", verb, "own_version", nothing_changes, 403)
    refuse(as_user(carol), "1.0.0", verb, "own_version", nothing_changes, 403)


def test_an_api_key_cannot_decide(echo, carol, nothing_changes):
    make_version(echo, status=VersionStatus.DRAFT)
    _, key = make_api_key(user=carol, scopes=("read", "write", "invoke"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")

    assert client.get(f"{ADDRESS}/1.0.0").status_code == 200
    for verb in ("approve", "reject", "deprecate", "yank", "revoke"):
        refuse(client, "1.0.0", verb, "key_not_allowed", nothing_changes, 403)


MOVES = {
    "draft": {"approve", "reject", "revoke"},
    "approved": {"deprecate", "yank", "revoke"},
    "deprecated": {"yank", "revoke"},
    "yanked": {"revoke"},
    "rejected": set(),
    "revoked": set(),
}
VERBS = ("approve", "reject", "deprecate", "yank", "revoke")


@pytest.mark.parametrize("status", MOVES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_status_moves_only_along_its_map(
    echo, as_user, carol, keys_dir, nothing_changes, status, verb
):
    make_version(echo, status=status)

    if verb in MOVES[status]:
        assert as_user(carol).post(f"{ADDRESS}/1.0.0/{verb}", {}).status_code == 200
    else:
        refuse(as_user(carol), "1.0.0", verb, "version_status", nothing_changes, 409)


def test_a_revoked_version_reaches_every_environment_that_routes_to_the_plugin(
    echo, as_user, carol
):
    version = make_version(echo)
    routes = [make_route(echo, stable=version, env=name) for name in ("qa", "production")]
    generations = dict(Environment.objects.values_list("name", "generation"))

    as_user(carol).post(f"{ADDRESS}/1.0.0/revoke", {"comment": "Leaks"})

    now = dict(Environment.objects.values_list("name", "generation"))
    for route in routes:
        route.refresh_from_db()
    assert now["qa"] == generations["qa"] + 1 == routes[0].generation
    assert now["production"] == generations["production"] + 1 == routes[1].generation
    assert now["staging"] == generations["staging"]


def test_versions_come_newest_first_in_the_order_of_versions(echo, upload, as_user, victor):
    for version in ("1.9.0", "1.10.0rc1", "1.10.0", "0.9.9"):
        assert upload(plugin_zip(version=version)).status_code == 201

    page = as_user(victor).get(f"{ADDRESS}?ordering=-version").json()

    assert [row["version"] for row in page["results"]] == ["1.10.0", "1.10.0rc1", "1.9.0", "0.9.9"]
    assert as_user(victor).get(ADDRESS).json()["results"][0]["version"] == "1.10.0"
    assert as_user(victor).get(f"{ADDRESS}?status=approved").json()["count"] == 0


def test_a_list_of_versions_needs_few_queries(echo, as_user, victor, django_assert_max_num_queries):
    for number in range(30):
        make_version(echo, f"1.{number}.0")

    with django_assert_max_num_queries(11):
        assert as_user(victor).get(f"{ADDRESS}?limit=100").json()["count"] == 30


def test_a_lost_artifact_is_told(echo, as_user, bob, artifacts):
    make_version(echo)

    answer = as_user(bob).get(f"{ADDRESS}/1.0.0/download")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "artifact_missing")


def test_unknown_versions_and_plugins_are_not_found(echo, as_user, bob):
    for address in (f"{ADDRESS}/9.9.9", f"{ADDRESS}/x", "/api/v1/plugins/other/versions"):
        assert as_user(bob).get(address).status_code == 404


def test_another_approver_is_needed_when_one_owns_it(as_user, keys_dir, carol):
    make_version(make_plugin("echo", owner=carol), status=VersionStatus.DRAFT)
    dave = make_user("dave", role="Approver")

    assert as_user(dave).post(f"{ADDRESS}/1.0.0/approve", {}).status_code == 200
