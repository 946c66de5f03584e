"""Which package index ``./dev up`` passes on."""

import pytest

from hotswap.embedded import package_index
from hotswap.embedded.commands import process_environment
from hotswap.embedded.package_index import index_settings

DEFAULT = "https://index.test/index index.test files.test\n"


@pytest.fixture
def pip_says(monkeypatch):
    def say(text):
        monkeypatch.setattr(package_index, "_ask_pip", lambda: text)

    return say


def test_what_was_chosen_stays(pip_says):
    pip_says(DEFAULT)
    chosen = {"HOTSWAP_INDEX_URL": "https://own.test/index"}
    assert index_settings(chosen) == chosen
    assert index_settings({"HOTSWAP_INDEX_URL_FILE": "x"}) == {"HOTSWAP_INDEX_URL_FILE": "x"}


def test_the_default_index_comes_with_the_host_of_its_files(pip_says):
    pip_says(DEFAULT)
    assert index_settings({}) == {
        "HOTSWAP_INDEX_URL": "https://index.test/index",
        "HOTSWAP_INDEX_FILE_HOSTS": "files.test",
    }


def test_another_index_is_expected_to_have_its_own_files(pip_says):
    pip_says(f"{DEFAULT}https://mirror.test/index\n")
    assert index_settings({}) == {"HOTSWAP_INDEX_URL": "https://mirror.test/index"}


@pytest.mark.parametrize("said", ["", f"{DEFAULT}file:///mirror/index\n"])
def test_without_an_index_on_the_web_there_is_none(pip_says, said):
    pip_says(said)
    assert index_settings({"A": "b"}) == {"A": "b"}


def test_pip_itself_answers():
    assert index_settings({})["HOTSWAP_INDEX_URL"].startswith("http")


def test_an_instance_is_not_told():
    settings = {"HOTSWAP_HOME": "/x", "HOTSWAP_INDEX_URL": "https://me:pw@index.test/"}
    assert "HOTSWAP_INDEX_URL" not in process_environment("instance", settings, "")
    assert "HOTSWAP_INDEX_URL" in process_environment("worker", settings, "")
