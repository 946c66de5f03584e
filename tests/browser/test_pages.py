"""In a real browser: no console error, no refused code, no other host; fixtures see to that."""

import pytest
from django.utils import timezone

from deployments.models import DeploymentCommand, StepStatus
from tests.browser.conftest import NARROW
from tests.browser.rows import finish_steps, make_day, make_people, plan_of
from tests.factories import make_deployment, make_plugin, make_version
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def people(transactional_db):
    return make_people()


@pytest.fixture
def running(people):
    """A deployment of which two of six steps are done."""
    plugin = make_plugin("echo", owner=people["bob"])
    deployment = make_deployment(
        make_version(plugin, "2.0.0"),
        incumbent=make_version(plugin, "1.0.0"),
        by=people["bob"],
        started_at=timezone.now(),
    )
    finish_steps(plan_of(deployment), done=2)
    return deployment


def bar(page):
    return page.get_by_role("progressbar").first


def value(page):
    return float(bar(page).get_attribute("value"))


def test_signing_in_leads_to_the_overview(visitor, people):
    page = visitor.sign_in(people["bob"])
    assert page.get_by_role("heading", level=1).inner_text() == "Overview"
    assert page.get_by_text("No plugin is registered yet").is_visible()


def test_the_bar_moves_by_itself_while_rows_change(visitor, people, running):
    page = visitor.sign_in(people["bob"])
    assert value(page) == 2
    page.evaluate("window.untouched = true")
    running.steps.filter(position__in=[2, 3]).update(status=StepStatus.DONE)
    wait_until(lambda: value(page) == 4, what="the bar's move")
    assert page.evaluate("window.untouched"), "the page was loaded again"


def test_a_deployments_page_follows_it_to_its_end(visitor, people, running):
    visitor.sign_in(people["bob"])
    page = visitor.open(f"/deployments/{running.pk}/")
    running.steps.update(status=StepStatus.DONE)
    type(running).objects.filter(pk=running.pk).update(
        status="completed", finished_at=timezone.now()
    )
    page.get_by_text("Completed", exact=True).wait_for()
    assert page.locator("[hx-get]").count() == 0


def test_nothing_is_asked_for_while_nobody_looks(visitor, people, running):
    visitor.page.clock.install()
    page = visitor.sign_in(people["bob"])
    poll(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    hide(page, hidden=True)
    for _ in range(4):
        page.clock.run_for(2_500)
    # A question asked of the page comes back after the requests that it made before.
    page.evaluate("fetch('/favicon.ico')")
    assert live(asked) == []
    with page.expect_request("**/live/"):
        hide(page, hidden=False)


def poll(page):
    """One whole poll by the page's clock: asked, answered, put in place."""
    with page.expect_response("**/live/"):
        page.clock.run_for(2_500)
    page.clock.run_for(100)


def live(urls):
    return [url for url in urls if url.endswith("/live/")]


def hide(page, *, hidden):
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_an_unchanged_part_is_left_alone(visitor, people, running):
    page = visitor.sign_in(people["bob"])
    answers = []
    page.on(
        "response", lambda answer: answers.append(answer.status) if "/live/" in answer.url else None
    )
    wait_until(lambda: (page.wait_for_timeout(50), len(answers) >= 1)[1], what="the first poll")
    page.evaluate("document.querySelector('#overview-live').dataset.seen = 'yes'")
    wait_until(lambda: (page.wait_for_timeout(50), len(answers) >= 3)[1], what="two more polls")
    assert page.locator("#overview-live[data-seen=yes]").count() == 1


def test_the_focus_stays_where_it_was_when_a_part_is_renewed(visitor, people, running):
    page = visitor.sign_in(people["bob"])
    link = page.get_by_role("link", name="echo 2.0.0")
    link.focus()
    running.steps.filter(position=2).update(status=StepStatus.DONE)
    wait_until(lambda: value(page) == 3, what="the bar's move")
    assert page.evaluate("document.activeElement.id") == f"to-{running.pk}"


def test_rolling_back_is_confirmed_and_gives_its_reason(visitor, people, running):
    visitor.sign_in(people["carol"])
    page = visitor.open(f"/deployments/{running.pk}/")
    page.get_by_role("button", name="Roll back…").click()
    dialog = page.get_by_role("dialog", name="Roll back?")
    dialog.get_by_role("textbox").fill("odd totals")
    dialog.get_by_role("button", name="Roll back", exact=True).click()
    page.get_by_text("Asked: roll back.").wait_for()
    assert DeploymentCommand.objects.get().arguments == {"comment": "odd totals"}


def test_a_dialog_stays_open_while_the_page_is_renewed(visitor, people, running):
    visitor.sign_in(people["carol"])
    page = visitor.open(f"/deployments/{running.pk}/")
    page.get_by_role("button", name="Roll back…").click()
    dialog = page.get_by_role("dialog", name="Roll back?")
    dialog.get_by_role("textbox").fill("half a sen")
    running.steps.filter(position=2).update(status=StepStatus.DONE)
    wait_until(lambda: value(page) == 3, what="the bar's move")
    assert dialog.get_by_role("textbox").input_value() == "half a sen"
    assert dialog.is_visible()


def test_pausing_takes_one_press(visitor, people, running):
    visitor.sign_in(people["bob"])
    page = visitor.open(f"/deployments/{running.pk}/")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Asked: pause.").wait_for()
    assert DeploymentCommand.objects.get().kind == "pause"


def test_the_keyboard_alone_reaches_the_content(visitor, people):
    page = visitor.sign_in(people["bob"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_admin_works_under_its_policy(visitor, people):
    page = visitor.open("/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill("ada")
    page.locator("input[name=password]").fill("correct horse battery staple")
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.wait_for_url("**/admin/")
    assert page.get_by_role("link", name="Deployments").first.is_visible()


def addresses(day):
    return {
        "bob": [
            "/",
            "/plugins/",
            f"/plugins/{day['plugin'].name}/",
            f"/plugins/{day['plugin'].name}/1.3.0/",
            f"/plugins/{day['plugin'].name}/0.9.0/",
            f"/plugins/{day['empty_plugin'].name}/",
            "/deployments/",
            f"/deployments/{day['running'].pk}/",
            f"/deployments/{day['rolled_back'].pk}/",
            "/deploy/",
            f"/deploy/?plugin={day['plugin'].name}",
            "/register/",
            "/publisher-keys/",
            "/plugins/currency/",
            f"/plugins/{day['plugin'].name}/1.0.0/",
            f"/plugins/{day['plugin'].name}/upload/",
        ],
        "carol": [f"/plugins/{day['plugin'].name}/", f"/plugins/{day['plugin'].name}/1.3.0/"],
        "alice": ["/tenants/acme/"],
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anybody_out(scheme, new_visitor, transactional_db):
    day = make_day()
    found = {}
    stranger = new_visitor(color_scheme=scheme)
    stranger.open("/sign-in/")
    found["/sign-in/"] = stranger.accessibility_problems()
    for name, paths in addresses(day).items():
        visitor = new_visitor(color_scheme=scheme)
        visitor.sign_in(day["people"][name])
        for path in paths:
            visitor.open(path)
            found[path] = visitor.accessibility_problems()
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_no_page_is_wider_than_a_phone(new_visitor, transactional_db):
    day = make_day()
    wide = []
    for name, paths in addresses(day).items():
        visitor = new_visitor(viewport=NARROW)
        visitor.sign_in(day["people"][name])
        for path in paths:
            page = visitor.open(path)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)
    assert wide == []
