import os
from pathlib import Path

import pytest

from tests.browser.conftest import NARROW, WIDE
from tests.browser.rows import make_day

pytestmark = pytest.mark.browser

LOOKS = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "narrow": {"color_scheme": "light", "viewport": NARROW, "device_scale_factor": 2},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_photographed(look, new_visitor, tmp_path):
    directory = Path(os.environ.get("HOTSWAP_TEST_SHOTS") or tmp_path) / look
    directory.mkdir(parents=True, exist_ok=True)
    new = lambda: new_visitor(**LOOKS[look])  # noqa: E731
    shoot(new(), directory, {"sign-in": "/sign-in/"})
    nobody = new()
    nobody.sign_in(make_day_for_nobody())
    shoot(nobody, directory, {"empty-overview": "/", "empty-plugins": "/plugins/"})
    day = make_day()
    for name, pages in pages_of(day).items():
        person = new()
        person.sign_in(day["people"][name])
        shoot(person, directory, pages)
        if name == "carol":
            ask(person, directory, day)
        if name == "ada":
            decide_in_admin(person, directory, day)
    assert all(path.stat().st_size > 5000 for path in directory.glob("*.png"))


def make_day_for_nobody():
    from tests.factories import make_user  # the database exists only within a test

    return make_user("dora", role="Developer")


def pages_of(day):
    plugin, running, back = day["plugin"].name, day["running"].pk, day["rolled_back"].pk
    deploy = f"/deploy/?plugin={plugin}"
    return {
        "bob": {
            "overview": "/",
            "plugins": "/plugins/",
            "plugins-none": "/plugins/?search=nothing-like-this",
            "plugin": f"/plugins/{plugin}/",
            "plugins-narrowed": "/plugins/?tag=finance&status=active&order=-updated",
            "version-draft": f"/plugins/{plugin}/1.3.0/",
            "version-stable": f"/plugins/{plugin}/1.0.0/",
            "version-revoked": f"/plugins/{plugin}/0.9.0/",
            "plugin-deprecated": "/plugins/vat-lookup/",
            "plugin-empty": "/plugins/text-insights/",
            "plugin-long-name": f"/plugins/{day['empty_plugin'].name}/",
            "deployments": "/deployments/",
            "deployments-none": "/deployments/?environment=development",
            "deployment-running": f"/deployments/{running}/",
            "deployment-rolled-back": f"/deployments/{back}/",
            "deploy-choose": "/deploy/",
            "deploy": deploy,
            "register": "/register/",
            "publisher-keys": "/publisher-keys/",
            "plugin-needed": "/plugins/currency/",
            "upload": f"/plugins/{plugin}/upload/",
            "not-found": "/plugins/nothing/",
        },
        "alice": {"tenant": "/tenants/acme/"},
        "carol": {
            "plugin-approver": f"/plugins/{plugin}/",
            "version-approver": f"/plugins/{plugin}/1.3.0/",
        },
        "ada": {
            "admin": "/admin/",
            "admin-deployments": "/admin/deployments/deployment/",
            "admin-deployment": f"/admin/deployments/deployment/{running}/change/",
            "admin-versions": "/admin/plugins/pluginversion/",
        },
    }


def decide_in_admin(person, directory, day):
    """The page between choosing an action in the admin and its effect."""
    person.open("/admin/plugins/pluginversion/?q=1.3.0")
    person.page.evaluate(
        """() => {
            document.querySelector("input[name=_selected_action]").checked = true;
            const chosen = document.querySelector("select[name=action]");
            chosen.value = "approve";
            chosen.form.submit();
        }"""
    )
    person.page.get_by_text("Your approval binds").wait_for()
    person.page.screenshot(path=directory / "admin-approve.png", full_page=True)


def ask(person, directory, day):
    """The dialogs that confirm, and the plan."""
    person.open(f"/plugins/{day['plugin'].name}/1.3.0/")
    person.page.get_by_role("button", name="Approve…").first.click()
    person.page.screenshot(path=directory / "ask-approve.png")
    person.open(f"/plugins/{day['plugin'].name}/1.0.0/")
    person.page.get_by_role("button", name="Revoke…").first.click()
    person.page.screenshot(path=directory / "ask-revoke.png")
    person.open(f"/deployments/{day['running'].pk}/")
    person.page.get_by_role("button", name="Roll back…").click()
    person.page.screenshot(path=directory / "ask-rollback.png")


def shoot(person, directory, pages):
    for name, path in pages.items():
        person.open(path)
        person.page.wait_for_load_state("networkidle")
        person.page.screenshot(path=directory / f"{name}.png", full_page=True)
    # A missing page is one of them, and Chromium logs its status as an error.
    person.problems = [each for each in person.problems if "status of 404" not in each]
