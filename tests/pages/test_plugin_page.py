import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from plugins.models import Plugin, PluginVersion, VersionStatus
from plugins.rules import give_plugin
from tests.artifacts import plugin_zip
from tests.factories import make_instance, make_placement, make_plugin, make_user, make_version

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.fixture
def draft(echo):
    return make_version(echo, "2.0.0", status=VersionStatus.DRAFT)


@pytest.fixture
def upload(signed_in, bob, echo, settings, tmp_path, keys_dir):
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "artifacts")},
    }
    settings.STORAGES = {**settings.STORAGES, "artifacts": files}
    give_plugin(bob, echo)

    def send(content, by=bob):
        file = SimpleUploadedFile("echo.zip", content)
        return signed_in(by).post("/plugins/echo/upload/", {"artifact": file}, follow=True)

    return send


def test_it_shows_who_uploaded_what_and_where_it_runs(signed_in, victor, stable):
    make_placement(make_instance("i-9"), stable)
    page = text(signed_in(victor).get("/plugins/echo/"))
    assert stable.artifact_digest in page
    assert "by bob" in page
    assert "i-9" in page
    assert "stable in</span> qa" in page


def test_only_who_may_decide_gets_the_buttons(signed_in, bob, carol, victor, draft):
    assert "Approve…" in text(signed_in(carol).get("/plugins/echo/"))
    for person in (bob, victor):
        page = text(signed_in(person).get("/plugins/echo/"))
        assert "Approve…" not in page
        assert "Waits for an approver" in page


def test_an_approver_approves_and_it_is_known_who_did(signed_in, carol, draft, keys_dir):
    answer = signed_in(carol).post("/plugins/echo/2.0.0/approve/", {"comment": "looked at it"})
    assert answer.url == "/plugins/echo/"
    draft.refresh_from_db()
    assert draft.status == VersionStatus.APPROVED
    assert "looked at it" in text(signed_in(carol).get("/plugins/echo/"))


def test_an_approver_rejects(signed_in, carol, draft):
    signed_in(carol).post("/plugins/echo/2.0.0/reject/")
    draft.refresh_from_db()
    assert draft.status == VersionStatus.REJECTED


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize("name", ["bob", "victor"])
def test_nobody_else_decides(decision, name, request, signed_in, draft):
    person = request.getfixturevalue(name)
    page = signed_in(person).post(f"/plugins/echo/2.0.0/{decision}/", follow=True)
    draft.refresh_from_db()
    assert draft.status == VersionStatus.DRAFT
    assert "Only an Approver or an Admin" in text(page)


def test_a_tenants_owner_decides_nothing(signed_in, acme, alice, draft):
    assert signed_in(alice).post("/plugins/echo/2.0.0/approve/").status_code == 403


def test_a_version_that_is_decided_already_says_so(signed_in, carol, stable):
    page = signed_in(carol).post("/plugins/echo/1.0.0/approve/", follow=True)
    assert "is approved" in text(page)
    assert 'role="alert"' in text(page)


def test_an_upload_becomes_a_draft(upload):
    page = upload(plugin_zip())
    assert "waits for an approver" in text(page)
    assert PluginVersion.objects.get().status == VersionStatus.DRAFT


def test_a_refused_upload_says_why_and_leaves_nothing(upload):
    page = upload(b"this is no archive")
    assert page.status_code == 400
    assert page.context["form"].errors == {"artifact": ["The artifact is not a zip or wheel file."]}
    assert not PluginVersion.objects.exists()


def test_only_who_may_edit_the_plugin_uploads(upload, carol):
    assert upload(plugin_zip(), by=carol).status_code == 403
    assert upload(plugin_zip(), by=make_user("dora", role="Developer")).status_code == 403


def test_a_plugin_is_registered_and_then_asks_for_its_first_version(signed_in, bob):
    answer = signed_in(bob).post("/register/", {"name": "invoice-tax", "summary": "VAT"})
    assert answer.url == "/plugins/invoice-tax/upload/"
    assert Plugin.objects.get().owner == bob


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Echo", "lower-case"), ("echo", "Plugin echo has it."), ("", "required")],
)
def test_a_name_that_cannot_be_is_refused_beside_the_field(name, problem, signed_in, bob, echo):
    page = signed_in(bob).post("/register/", {"name": name, "summary": ""})
    assert page.status_code == 400
    assert problem in text(page)
    assert Plugin.objects.count() == 1


def test_only_developers_register(signed_in, carol):
    assert signed_in(carol).post("/register/", {"name": "x", "summary": ""}).status_code == 403


def test_a_list_can_be_searched(signed_in, victor, echo):
    make_plugin("invoice-tax")
    page = text(signed_in(victor).get("/plugins/?search=INVOICE"))
    assert "invoice-tax" in page
    assert "/plugins/echo/" not in page
    none = text(signed_in(victor).get("/plugins/", {"search": "<b>nothing"}))
    assert "No plugin matches “&lt;b&gt;nothing”" in none


def test_a_plugin_that_does_not_exist_is_not_found_in_plain_words(signed_in, victor):
    page = signed_in(victor).get("/plugins/nothing/")
    assert page.status_code == 404
    assert "There is nothing here for you" in text(page)


def test_more_versions_are_no_more_queries(signed_in, carol, echo, django_assert_max_num_queries):
    make_version(echo, "1.0.0")
    client = signed_in(carol)
    with django_assert_max_num_queries(22) as few:
        client.get("/plugins/echo/")
    instance = make_instance()
    for number in range(1, 15):
        make_placement(instance, make_version(echo, f"1.{number}.0", status=VersionStatus.DRAFT))
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get("/plugins/echo/")
