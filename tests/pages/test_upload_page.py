import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from plugins.models import PluginVersion, VersionStatus
from tests.artifacts import plugin_zip
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.fixture
def send(upload, signed_in, bob):
    """As the page's script sends it."""

    def send(content):
        file = SimpleUploadedFile("echo.zip", content)
        return signed_in(bob).post(
            "/plugins/echo/upload/", {"artifact": file}, headers={"accept": "application/json"}
        )

    return send


def test_an_upload_becomes_a_draft_and_shows_it(upload):
    page = upload(plugin_zip())
    assert page.redirect_chain[-1][0] == "/plugins/echo/1.0.0/"
    assert "Waits for an approver" in text(page)
    assert PluginVersion.objects.get().status == VersionStatus.DRAFT


def test_a_refused_upload_says_why_and_leaves_nothing(upload):
    page = upload(b"this is no archive")
    assert page.status_code == 400
    (reason,) = page.context["form"].errors["artifact"]
    assert reason.startswith("The artifact is not a zip or wheel file")
    assert not PluginVersion.objects.exists()


def test_only_who_may_edit_the_plugin_uploads(upload, carol):
    assert upload(plugin_zip(), by=carol).status_code == 403
    assert upload(plugin_zip(), by=make_user("dora", role="Developer")).status_code == 403


def test_the_script_is_told_where_the_version_is(send):
    answer = send(plugin_zip())
    assert answer.status_code == 201
    assert answer.json() == {"address": "/plugins/echo/1.0.0/"}


def test_the_script_is_told_what_was_wrong_with_which_field(send):
    answer = send(b"this is no archive")
    assert answer.status_code == 400
    (reason,) = answer.json()["errors"]["artifact"]
    assert reason.startswith("The artifact is not a zip or wheel file")


def test_a_version_that_is_there_already_is_refused_in_place(send):
    send(plugin_zip())
    assert "exists" in json.dumps(send(plugin_zip()).json()["errors"]["artifact"])


def test_without_a_file_the_script_is_told_so(send, signed_in, bob):
    answer = signed_in(bob).post("/plugins/echo/upload/", headers={"accept": "application/json"})
    assert answer.json()["errors"] == {"artifact": ["This field is required."]}


def test_a_plugin_that_asks_for_signatures_asks_for_the_file(upload, signed_in, bob, echo):
    echo.requires_signature = True
    echo.save()
    page = upload(plugin_zip())
    assert page.context["form"].errors == {"signature_file": ["This field is required."]}


def test_a_signature_that_is_none_is_refused(upload, signed_in, bob):
    file = SimpleUploadedFile("echo.zip", plugin_zip())
    nonsense = SimpleUploadedFile("echo.dsse", b"\xff not an envelope")
    page = signed_in(bob).post(
        "/plugins/echo/upload/", {"artifact": file, "signature_file": nonsense}
    )
    assert page.status_code == 400
    assert not PluginVersion.objects.exists()
