"""``manage.py check`` refuses what would break a promise, and says the way out."""

import psycopg
import pytest

from hotswap.lib.keys import make_keys
from plugins import checks


def ids(messages):
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_built_in_secret_is_refused_in_production(settings):
    settings.SECRET_KEY, settings.SECURE_TLS, settings.DEBUG = "insecure-x", True, False
    assert ids(checks.check_secret_key()) == ["hotswap.E001"]

    settings.SECRET_KEY = "something else"
    assert checks.check_secret_key() == []


def test_keys_that_others_can_read_are_refused(settings, tmp_path):
    settings.KEYS_DIR = tmp_path
    make_keys(tmp_path)
    assert checks.check_key_files() == []

    (tmp_path / "kek").chmod(0o640)
    assert ids(checks.check_key_files()) == ["hotswap.E002"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", []),
        ("https://packages.example/root", []),
        ("http://127.0.0.1:8080/root", []),
        ("http://packages.example/root", ["hotswap.W001"]),
        ("file:///mirror", ["hotswap.E004"]),
        ("packages.example", ["hotswap.E004"]),
    ],
)
def test_an_index_that_others_could_change_is_noticed(settings, url, found):
    settings.INDEX_URL, settings.SECURE_TLS, settings.DEBUG = url, True, False
    assert ids(checks.check_index()) == found


@pytest.mark.django_db
def test_the_web_role_cannot_bypass_row_security():
    assert checks.check_database_role(databases=["default"]) == []
    assert checks.check_database_role() == []


def test_a_superuser_is_refused(database_urls, monkeypatch):
    with psycopg.connect(database_urls["superuser"].replace("hotswap_main", "postgres")) as raw:
        monkeypatch.setattr(checks, "connections", {"default": raw})

        assert ids(checks.check_database_role(databases=["default"])) == ["hotswap.E003"]
