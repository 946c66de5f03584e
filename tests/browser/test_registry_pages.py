"""What a person does with the registry's pages, at a real browser."""

import random

import pytest

from plugins.models import PluginVersion, Resolution, ResolutionStatus, VersionStatus
from plugins.rules import give_plugin
from tests.artifacts import plugin_zip
from tests.browser.rows import make_people
from tests.factories import make_plugin, make_version, minimal_manifest
from tests.pages.conftest import artifacts  # noqa: F401
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
SLOW = {
    "offline": False,
    "latency": 0,
    "downloadThroughput": -1,
    "uploadThroughput": 300_000,
}


@pytest.fixture
def people(transactional_db):
    return make_people()


@pytest.fixture
def echo(people):
    plugin = make_plugin("echo", owner=people["bob"])
    give_plugin(people["bob"], plugin)
    return plugin


@pytest.fixture
def upload_page(visitor, people, echo, artifacts):  # noqa: F811
    visitor.sign_in(people["bob"])
    return visitor.open("/plugins/echo/upload/")


def choose(page, content, name="echo.zip"):
    file = {"name": name, "mimeType": "application/zip", "buffer": content}
    page.get_by_label("Artifact").set_input_files(file)


def noise(size):
    return random.Random(7).randbytes(size)


def test_the_bar_follows_the_upload_and_the_version_is_shown(upload_page):
    page, seen = upload_page, []
    # Playwright takes no function that is built in.
    page.expose_function("noteValue", lambda value: seen.append(value))  # noqa: PLW0108
    page.evaluate(
        """() => {
            const bar = document.querySelector("[data-upload] progress");
            const note = () => noteValue(bar.hasAttribute("value") ? bar.value : "checking");
            new MutationObserver(note).observe(bar, {attributes: true});
        }"""
    )
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    choose(page, plugin_zip({"data.bin": noise(400_000)}))
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/plugins/echo/1.0.0/")
    assert page.get_by_text("Waits for an approver").is_visible()
    values = [value for value in seen if value != "checking"]
    assert values == sorted(values)
    assert any(0 < value < 1 for value in values)
    assert seen[-1] == "checking"


def test_a_refusal_is_shown_in_place_and_the_form_stays(upload_page, visitor):
    page = upload_page
    page.evaluate("window.untouched = true")
    choose(page, b"this is no archive")
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("not a zip or wheel file").wait_for()
    assert page.evaluate("window.untouched"), "the page was loaded again"
    assert page.get_by_role("progressbar").is_hidden()
    assert page.evaluate("document.activeElement.name") == "artifact"
    choose(page, plugin_zip())
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/plugins/echo/1.0.0/")
    # The refusal's status is what the browser complains about.
    visitor.problems = [each for each in visitor.problems if "status of 400" not in each]


def test_a_file_that_is_too_large_is_not_even_sent(upload_page, settings):
    page, sent = upload_page, []
    page.evaluate("document.querySelector('[data-upload]').dataset.limit = 1000")
    page.reload()
    settings.UPLOAD_LIMIT_BYTES = 1000
    page.reload()
    page.on("request", lambda request: sent.append(request.method))
    choose(page, noise(2000), "big.zip")
    page.get_by_text("big.zip has 2 kB; at most 1 kB can be uploaded.").wait_for()
    page.get_by_role("button", name="Upload").click()
    assert "POST" not in sent


def test_an_upload_can_be_stopped(upload_page):
    page = upload_page
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions", SLOW | {"uploadThroughput": 10_000}
    )
    choose(page, plugin_zip({"data.bin": noise(400_000)}))
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped. Nothing was uploaded.").wait_for()
    assert page.get_by_role("button", name="Upload").is_enabled()
    assert not PluginVersion.objects.exists()


def test_without_scripts_it_is_a_plain_form(new_visitor, people, echo, artifacts):  # noqa: F811
    visitor = new_visitor(java_script_enabled=False)
    visitor.sign_in(people["bob"])
    page = visitor.open("/plugins/echo/upload/")
    choose(page, plugin_zip())
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/plugins/echo/1.0.0/")
    assert page.get_by_text("Waits for an approver").is_visible()


@pytest.fixture
def draft(echo):
    manifest = minimal_manifest("echo", "2.0.0", dependencies={"plugins": [], "python": ["babel"]})
    return make_version(echo, "2.0.0", status=VersionStatus.DRAFT, manifest=manifest)


def test_the_resolution_moves_by_itself(visitor, people, draft):
    row = Resolution.objects.create(version=draft, status=ResolutionStatus.RUNNING)
    visitor.sign_in(people["carol"])
    page = visitor.open("/plugins/echo/2.0.0/")
    page.evaluate("window.untouched = true")
    for message in ("Asking the index", "Fetching babel 2.17.0"):
        row.progress = [*row.progress, {"at": "2026-01-01T10:00:00+00:00", "message": message}]
        row.save()
        page.get_by_role("status").get_by_text(message).wait_for()
    row.status = ResolutionStatus.FAILED
    row.problem = {"code": "sdist_only", "message": "babel has no wheel.", "fields": {}}
    row.save()
    page.get_by_text("babel has no wheel.").wait_for()
    assert page.locator("[hx-get]").count() == 0
    assert page.evaluate("window.untouched"), "the page was loaded again"


def test_a_decision_is_made_with_the_keyboard_alone(visitor, people, echo):
    make_version(echo, "2.0.0")
    visitor.sign_in(people["carol"])
    page = visitor.open("/plugins/echo/2.0.0/")
    page.get_by_role("button", name="Yank…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Yank echo 2.0.0?").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("rounds wrongly")
    page.keyboard.press("Enter")
    page.get_by_text("echo 2.0.0 is yanked.").wait_for()
    assert PluginVersion.objects.get().status == VersionStatus.YANKED


def test_without_a_reason_a_version_is_not_revoked(visitor, people, echo):
    make_version(echo, "2.0.0")
    visitor.sign_in(people["carol"])
    page = visitor.open("/plugins/echo/2.0.0/")
    page.get_by_role("button", name="Revoke…").click()
    dialog = page.get_by_role("dialog", name="Revoke echo 2.0.0?")
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    assert dialog.is_visible()
    assert PluginVersion.objects.get().status == VersionStatus.APPROVED


def test_two_versions_are_compared_without_losing_the_place(visitor, people, echo):
    for number in ("1.0.0", "1.1.0", "1.2.0"):
        make_version(echo, number)
    visitor.sign_in(people["carol"])
    page = visitor.open("/plugins/echo/")
    page.get_by_label("From").select_option("1.0.0")
    page.get_by_role("button", name="Compare").click()
    wait_until(lambda: page.url.endswith("#changes"), what="the comparison")
    assert page.get_by_text("1.2.0 may do exactly what 1.0.0 may.").is_visible()
