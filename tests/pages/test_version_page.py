from datetime import timedelta

import pytest
from django.utils import timezone

from observability.models import AuditEvent
from plugins.models import (
    DependencyLock,
    PluginVersion,
    PublisherKey,
    Resolution,
    ResolutionStatus,
    VersionStatus,
)
from tests.artifacts import plugin_zip
from tests.factories import make_installation, make_tenant, make_version, minimal_manifest

pytestmark = pytest.mark.django_db
ADDRESS = "/plugins/echo/2.0.0/"


def text(response):
    return response.content.decode()


@pytest.fixture
def draft(echo):
    manifest = minimal_manifest(
        "echo",
        "2.0.0",
        permissions={"egress": [{"host": "api.example.com"}]},
        dependencies={"plugins": ["currency>=1.5"], "python": ["babel>=2"]},
    )
    return make_version(echo, "2.0.0", status=VersionStatus.DRAFT, manifest=manifest)


@pytest.fixture
def uploaded(upload):
    """echo 1.0.0 with its artifact, by bob."""
    upload(plugin_zip())
    return PluginVersion.objects.get()


def status_of(version):
    return PluginVersion.objects.get(pk=version.pk).status


def test_an_approver_approves_and_it_is_known_who_did(signed_in, carol, uploaded):
    answer = signed_in(carol).post("/plugins/echo/1.0.0/approve/", {"comment": "looked at it"})
    assert answer.url == "/plugins/echo/1.0.0/"
    assert status_of(uploaded) == VersionStatus.APPROVED
    page = signed_in(carol).get(answer.url)
    assert "looked at it" in text(page)
    assert page.context["seal"].state == "valid"
    assert AuditEvent.objects.filter(action="version.approved", actor="carol").exists()


def test_an_approval_that_was_altered_is_not_overlooked(signed_in, carol, uploaded):
    signed_in(carol).post("/plugins/echo/1.0.0/approve/")
    PluginVersion.objects.update(lock_digest="f" * 64)
    seal = signed_in(carol).get("/plugins/echo/1.0.0/").context["seal"]
    assert seal.state == "broken"
    assert "another lock digest" in seal.words


def test_permissions_that_were_widened_later_are_not_overlooked(signed_in, carol, uploaded):
    signed_in(carol).post("/plugins/echo/1.0.0/approve/")
    manifest = {**uploaded.manifest, "permissions": {"native": True, "egress": []}}
    PluginVersion.objects.update(manifest=manifest)
    seal = signed_in(carol).get("/plugins/echo/1.0.0/").context["seal"]
    assert seal.state == "broken"
    assert "another permissions" in seal.words


def test_approved_without_a_countersignature_is_not_overlooked(signed_in, victor, stable):
    seal = signed_in(victor).get("/plugins/echo/1.0.0/").context["seal"]
    assert seal.state == "broken"


@pytest.mark.parametrize(
    ("decision", "before", "after"),
    [
        ("reject", VersionStatus.DRAFT, VersionStatus.REJECTED),
        ("deprecate", VersionStatus.APPROVED, VersionStatus.DEPRECATED),
        ("yank", VersionStatus.APPROVED, VersionStatus.YANKED),
        ("revoke", VersionStatus.APPROVED, VersionStatus.REVOKED),
    ],
)
def test_every_other_decision_asks_why(decision, before, after, signed_in, carol, echo):
    version = make_version(echo, "2.0.0", status=before)
    client = signed_in(carol)
    silent = client.post(f"{ADDRESS}{decision}/", {"comment": " \0 "}, follow=True)
    assert "say why echo 2.0.0" in text(silent)
    assert status_of(version) == before
    page = client.post(f"{ADDRESS}{decision}/", {"comment": "rounds wrongly"}, follow=True)
    assert f"echo 2.0.0 is {after}" in text(page)
    assert status_of(version) == after
    event = AuditEvent.objects.get(action=f"version.{after}")
    assert event.actor == "carol"
    assert "rounds wrongly" in str(event.after)


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize("name", ["bob", "victor"])
def test_nobody_else_decides(decision, name, request, signed_in, draft):
    person = request.getfixturevalue(name)
    page = signed_in(person).post(f"{ADDRESS}{decision}/", {"comment": "because"}, follow=True)
    assert status_of(draft) == VersionStatus.DRAFT
    assert "Only an Approver or an Admin" in text(page)
    assert "popovertarget" not in text(page)


def test_whoever_uploaded_it_is_told_why_they_may_not_decide(signed_in, ada, draft):
    PluginVersion.objects.update(uploaded_by=ada)
    page = text(signed_in(ada).get(ADDRESS))
    assert "echo 2.0.0 is yours" in page
    assert "Approve…" not in page
    signed_in(ada).post(f"{ADDRESS}approve/")
    assert status_of(draft) == VersionStatus.DRAFT


def test_a_tenants_owner_sees_and_decides_nothing(signed_in, acme, alice, draft):
    assert signed_in(alice).get(ADDRESS).status_code == 403
    assert signed_in(alice).post(f"{ADDRESS}approve/").status_code == 403


def test_a_decision_is_never_a_link(signed_in, carol, draft):
    assert signed_in(carol).get(f"{ADDRESS}approve/").status_code == 405


def test_a_version_that_is_decided_already_says_so(signed_in, carol, stable):
    page = signed_in(carol).post("/plugins/echo/1.0.0/reject/", {"comment": "no"}, follow=True)
    assert "is approved" in text(page)
    assert 'role="alert"' in text(page)


def test_the_confirmation_shows_what_changes(signed_in, carol, stable, draft):
    PluginVersion.objects.filter(pk=stable.pk).update(approval={"plugin": "echo"})
    draft.warnings = [{"code": "secret_found", "path": "keys.py", "message": "Line 3 looks odd."}]
    draft.save()
    page = text(signed_in(carol).get(ADDRESS))
    dialog = page[page.index('id="approve"') : page.index('id="reject"')]
    for words in ("Line 3 looks odd", "Asks for egress to api.example.com", "Added", "since 1.0.0"):
        assert words in dialog


def test_it_says_where_it_runs_and_for_how_many(signed_in, victor, stable):
    make_installation(make_tenant("acme"), stable.plugin)
    (place,) = signed_in(victor).get("/plugins/echo/1.0.0/").context["places"]
    assert (place.environment.environment.name, place.use.tenants) == ("qa", 1)


def test_a_revoked_version_says_why(signed_in, victor, draft):
    PluginVersion.objects.update(status=VersionStatus.REVOKED, status_reason="leaks <totals>")
    assert "leaks &lt;totals&gt;" in text(signed_in(victor).get(ADDRESS))


def test_the_resolution_moves_by_itself_until_it_ends(signed_in, victor, draft):
    row = Resolution.objects.create(
        version=draft,
        status=ResolutionStatus.RUNNING,
        progress=[{"at": "2026-01-01T10:00:00+00:00", "message": "Fetching babel"}],
    )
    moving = text(signed_in(victor).get(f"{ADDRESS}live/"))
    assert "Fetching babel" in moving
    assert "hx-get" in moving
    DependencyLock.objects.create(
        digest="d" * 64,
        packages=[{"name": "babel", "version": "2.17.0", "bytes": 9, "requires": []}],
    )
    PluginVersion.objects.update(lock_digest="d" * 64)
    Resolution.objects.filter(pk=row.pk).update(status=ResolutionStatus.RESOLVED)
    ended = text(signed_in(victor).get(f"{ADDRESS}live/"))
    assert "2.17.0" in ended
    assert "hx-get" not in ended


def test_an_unchanged_resolution_costs_an_empty_answer(signed_in, victor, draft):
    first = signed_in(victor).get(f"{ADDRESS}live/")
    again = signed_in(victor).get(f"{ADDRESS}live/", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304


def test_a_failed_resolution_says_who_required_what_and_can_be_tried_again(
    signed_in, bob, victor, draft
):
    problem = {
        "code": "dependency_conflict",
        "message": "babel cannot be both.",
        "fields": {"babel": ["a wants >=2", "b wants <2"]},
    }
    Resolution.objects.create(version=draft, status=ResolutionStatus.FAILED, problem=problem)
    page = text(signed_in(bob).get(ADDRESS))
    assert "a wants &gt;=2" in page
    assert "Try again" in page
    assert "Try again" not in text(signed_in(victor).get(ADDRESS))
    signed_in(bob).post(f"{ADDRESS}resolve/")
    assert Resolution.objects.get().status == ResolutionStatus.PENDING


def test_the_bill_of_materials_is_a_table_and_a_file(signed_in, victor, uploaded):
    page = signed_in(victor).get("/plugins/echo/1.0.0/")
    assert "hotswap.toml" in text(page)
    file = signed_in(victor).get("/plugins/echo/1.0.0/sbom.json")
    assert file["Content-Type"] == "application/vnd.cyclonedx+json"
    assert file["Content-Disposition"] == 'attachment; filename="echo-1.0.0.cdx.json"'
    assert file.json()["bomFormat"] == "CycloneDX"


def test_a_version_without_a_bill_has_no_file(signed_in, victor, stable):
    assert signed_in(victor).get("/plugins/echo/1.0.0/sbom.json").status_code == 404


def test_a_publishers_key_that_was_revoked_since_is_not_overlooked(signed_in, victor, bob, draft):
    now = timezone.now()
    draft.signed_by = PublisherKey.objects.create(
        key_id="a" * 64,
        publisher=bob,
        name="laptop",
        public_key="",
        not_before=now,
        not_after=now + timedelta(days=1),
        revoked_at=now,
        revocation_reason="stolen",
    )
    draft.save()
    seal = signed_in(victor).get(ADDRESS).context["publisher_seal"]
    assert seal.state == "broken"
    assert "stolen" in seal.words


@pytest.mark.parametrize("address", ["/plugins/echo/9.9.9/", "/plugins/other/2.0.0/"])
def test_what_does_not_exist_is_not_found(address, signed_in, victor, draft):
    assert signed_in(victor).get(address).status_code == 404


def test_the_number_of_queries_stays(
    signed_in, carol, echo, stable, draft, django_assert_max_num_queries
):
    client = signed_in(carol)
    with django_assert_max_num_queries(24) as few:
        client.get(ADDRESS)
    for number in range(10):
        make_version(echo, f"1.{number + 1}.0")
        make_installation(make_tenant(f"tenant-{number}"), echo)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(ADDRESS)
