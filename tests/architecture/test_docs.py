"""What exists is documented. Each test compares names found in the source with those found in a
page.
"""

import re
import tomllib

import pytest

from hotswap import __version__
from tests.architecture.sources import REPOSITORY, all_files, name_of, python_files

SETTING = re.compile(r"\bHOTSWAP_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
PAGES = sorted(path for path in all_files() if path.suffix == ".md")


def read(name: str) -> str:
    return (REPOSITORY / name).read_text()


def settings_in(text: str) -> set[str]:
    """Names of settings: NAME_FILE is another way to give NAME; HOTSWAP_TEST_* are the tests'."""
    found = {name.removesuffix("_FILE") for name in SETTING.findall(text)}
    return {name for name in found if not name.startswith("HOTSWAP_TEST")}


def sources(*, with_tests: bool) -> str:
    modules = [path for path in python_files() if with_tests or "tests" not in path.parts]
    return "\n".join(path.read_text() for path in [*modules, REPOSITORY / "dev"])


def test_every_setting_is_in_the_configuration_page():
    documented = settings_in(read("docs/configuration.md"))
    assert settings_in(sources(with_tests=False)) - documented == set()


def test_every_setting_in_the_configuration_page_exists():
    documented = settings_in(read("docs/configuration.md"))
    assert documented - settings_in(sources(with_tests=True)) == set()


def test_every_command_of_dev_is_in_its_help():
    script = read("dev")
    commands = set(re.findall(r"^  ([a-z]+)\)", script, re.MULTILINE)) - {"help"}
    assert commands
    assert {name for name in commands if f"./dev {name} " not in script} == set()


def test_every_command_that_the_pages_name_exists():
    script = read("dev")
    named = {name for page in PAGES for name in re.findall(r"\./dev ([a-z]+)", page.read_text())}
    assert {name for name in named if f"\n  {name})" not in script and name != "help"} == set()


def test_the_changelog_begins_with_this_version():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    first = re.search(r"^## \[?(\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.MULTILINE)
    assert first
    assert first.group(1) == project["version"] == __version__


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_between_pages_leads_somewhere(page):
    targets = [page.parent / target for target in LINK.findall(page.read_text())]
    assert [str(target) for target in targets if not target.exists()] == []
