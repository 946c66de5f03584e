"""Whose a plugin is, and who else may edit it."""

import pytest

from observability.models import AuditEvent
from plugins.models import Plugin
from plugins.owners import Holder, holders_of
from tests.factories import make_api_key, make_user

pytestmark = pytest.mark.django_db
PLUGIN = "/api/v1/plugins/echo"
OWNERS = f"{PLUGIN}/owners"


@pytest.fixture
def dora(db):
    return make_user("dora", role="Developer")


def test_an_owner_lets_another_developer_edit_and_takes_it_back(echo, as_user, bob, dora):
    change = {"summary": "Changed"}
    assert as_user(dora).patch(PLUGIN, change).status_code == 403

    added = as_user(bob).post(OWNERS, {"user": "dora"})
    assert (added.status_code, added.json()) == (201, {"user": "dora", "role": "editor"})
    assert as_user(dora).patch(PLUGIN, change).status_code == 200
    listed = as_user(dora).get(OWNERS).json()["results"]
    assert [row["user"] for row in listed] == ["bob", "dora"]

    assert as_user(bob).delete(f"{OWNERS}/dora").status_code == 204
    assert as_user(dora).patch(PLUGIN, change).status_code == 403
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"plugin.editor_added", "plugin.editor_removed"} <= actions


def test_an_editor_shares_nothing_but_may_leave(echo, as_user, bob, dora, nothing_changes):
    make_user("eve", role="Developer")
    as_user(bob).post(OWNERS, {"user": "dora"})

    with nothing_changes():
        assert as_user(dora).post(OWNERS, {"user": "eve"}).status_code == 403
        assert as_user(dora).post(OWNERS, {"user": "dora", "role": "owner"}).status_code == 403
        assert as_user(dora).delete(f"{OWNERS}/bob").status_code == 403
    assert as_user(dora).delete(f"{OWNERS}/dora").status_code == 204


@pytest.mark.parametrize("giver", ["bob", "ada"])
def test_a_plugin_is_given_away_and_its_owner_of_before_stays_an_editor(
    echo, as_user, bob, ada, dora, giver
):
    client = as_user({"bob": bob, "ada": ada}[giver])

    assert client.post(OWNERS, {"user": "dora", "role": "owner"}).status_code == 201

    plugin = Plugin.objects.get(name="echo")
    assert holders_of(plugin) == [Holder("dora", "owner"), Holder("bob", "editor")]
    assert plugin.revision == 2
    event = AuditEvent.objects.get(action="plugin.transferred")
    assert (event.before, event.after) == ({"owner": "bob"}, {"owner": "dora"})


@pytest.mark.parametrize(
    ("user", "status"), [("victor", 400), ("nobody", 400), ("AnonymousUser", 400), ("", 400)]
)
def test_only_developers_can_be_given_a_plugin(
    echo, as_user, bob, victor, nothing_changes, user, status
):
    with nothing_changes():
        answer = as_user(bob).post(OWNERS, {"user": user})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (status, ["user"])


def test_an_owner_cannot_be_removed_nor_a_stranger(echo, as_user, ada, dora, nothing_changes):
    with nothing_changes():
        owner = as_user(ada).delete(f"{OWNERS}/bob")
        assert as_user(ada).delete(f"{OWNERS}/dora").status_code == 404
        assert as_user(ada).delete(f"{OWNERS}/nobody").status_code == 404

    assert (owner.status_code, owner.json()["error"]["code"]) == (409, "still_owner")


def test_an_api_key_gives_nothing_away(echo, as_key, bob, dora, nothing_changes):
    _, key = make_api_key(user=bob, scopes=("read", "write"))

    assert as_key(key).get(OWNERS).status_code == 200
    with nothing_changes():
        assert as_key(key).post(OWNERS, {"user": "dora"}).status_code == 403
