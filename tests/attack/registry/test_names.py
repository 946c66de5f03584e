"""Plugins that pass for another by their name (P15)."""

import pytest

from plugins.lookalikes import plugins_that_look_like, shape_of
from tests.factories import make_plugin, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins"


@pytest.fixture
def billing(ada):
    return make_plugin("billing", owner=ada)


@pytest.fixture
def register(as_user, bob, artifacts, spool):
    def send(name, by=None):
        return as_user(by or bob).post(ADDRESS, {"name": name}, format="json")

    return send


NO_NAMES = {
    "a capital": "Invoice",
    "all capitals": "INVOICE",
    "an underscore": "foo_bar",
    "a capital and an underscore": "Foo_Bar",
    "a dot": "foo.bar",
    "two hyphens": "foo--bar",
    "a hyphen at its end": "billing-",
    "a hyphen at its start": "-billing",
    "a space": "bil ling",
    "a space at its end": "billing ",
    "a line feed at its end": "billing\n",
    "a Cyrillic letter": "b\u0456lling",
    "a Greek letter": "billing\u03bf",
    "a full-width letter": "\uff42illing",
    "a ligature": "\ufb01nance",
    "a combining accent": "billing\u0301",
    "a soft hyphen": "bil\u00adling",
    "a zero-width space": "bil\u200bling",
    "a zero-width joiner": "bil\u200dling",
    "a direction override": "\u202egnillib",
    "a digit of another script": "billing\u0661",
    "punycode's separator": "xn--billing-x4a",
    "a NUL": "billing\0",
    "a slash": "acme/billing",
    "a leading digit": "1billing",
    "nothing": "",
}


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_a_name_is_refused_with(billing, register, nothing_changes, name):
    """P15: one spelling, in letters that nobody can mistake for others."""
    with nothing_changes():
        answer = register(name)

    error = answer.json()["error"]
    assert answer.status_code == 400, error
    assert "\0" in name or list(error["fields"]) == ["name"]


ALIKE = ["bi11ing", "bi1ling", "bill-ing", "b-illing", "biiiing", "bllllng", "b1ll1ng"]


@pytest.mark.parametrize("name", ALIKE)
def test_a_name_is_refused_that_looks_like_anothers(billing, register, nothing_changes, name):
    """P15"""
    same = shape_of(name) == shape_of("billing")
    with nothing_changes():
        answer = register(name)

    error = answer.json()["error"]
    assert same
    assert (answer.status_code, error["code"]) == (409, "name_too_similar")
    assert name in error["message"] and "billing" in error["message"]
    assert "choose another" in error["message"]


SLIPS = ["billings", "biling", "milling", "iblling", "billnig", "billing2"]


@pytest.mark.parametrize("name", SLIPS)
def test_a_name_is_refused_that_is_anothers_mistyped(billing, register, nothing_changes, name):
    """P15: a letter more, less, other, or in its neighbour's place."""
    with nothing_changes():
        answer = register(name)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "name_too_similar")
    assert "billing" in error["message"] and "ask an Admin" in error["message"]


@pytest.mark.parametrize("name", ["billing-pro", "bowling", "filling-up", "bill"])
def test_a_name_of_its_own_is_taken(billing, register, name):
    """P15"""
    assert register(name).status_code == 201


def test_an_admin_may_register_a_name_that_looks_alike(echo, register, ada):
    """P15: the way out that the refusal names."""
    assert register("ech0").status_code == 201, "one's own plugins may look alike"
    assert register("e-cho", by=ada).status_code == 201


def test_the_database_and_python_see_the_same_shapes(billing, bob):
    """P15"""
    names = ["modern-vvorld", "rnodem-world", "loop-101", "iool-oil", "rrn-n", "a-vv-v"]
    for plugin in [make_plugin(name, owner=bob) for name in names]:
        assert plugin in plugins_that_look_like(f"{plugin.name}-")
        assert not plugins_that_look_like(f"x{plugin.name}")


def test_a_developer_cannot_take_a_name_that_was_anothers(billing, register, nothing_changes):
    """P15"""
    eve = make_user("eve", role="Developer")
    with nothing_changes():
        answer = register("billing", by=eve)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "name_taken")
