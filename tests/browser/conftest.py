"""A real Chromium on a live server; whatever it complains about fails the test."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.factories import PASSWORD
from tests.plain_static import plain_static_files  # noqa: F401

AXE = Path(__file__).with_name("axe.min.js")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
)
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}


@dataclass
class Visitor:
    """A person at a browser. ``problems`` collects console errors and requests to other hosts."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        own = urlsplit(self.address).netloc
        self.page.on("console", lambda said: self._note(said) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("request", lambda request: self._check_host(request.url, own))

    def _note(self, said) -> None:
        self.problems.append(f"console: {said.text}")

    def _check_host(self, url: str, own: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != own:
            self.problems.append(f"asked another host: {url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def sign_in(self, user) -> Page:
        self.open("/sign-in/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_load_state()
        return self.page

    def accessibility_problems(self) -> list[str]:
        """Serious and critical findings of axe-core, with where they are."""
        # The policy lets no script in from outside, so it runs as the debugger's.
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run()")["violations"]
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


@pytest.fixture(scope="module")
def chromium(django_db_setup):
    """Ends with its module: while it lives this thread runs a loop, beside which Django refuses
    queries unless it is told that nothing else runs here, and other tests could start none.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(chromium, live_server, keys_dir):
    """``new_visitor(color_scheme="dark", viewport=NARROW)``: a browser without any cookie."""
    contexts, visitors = [], []

    def make(**options) -> Visitor:
        context = chromium.new_context(**({"viewport": WIDE} | options))
        contexts.append(context)
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield make
    for context in contexts:
        context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []


@pytest.fixture
def visitor(new_visitor) -> Visitor:
    return new_visitor()
