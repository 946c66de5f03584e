"""Registering, changing, deprecating and deleting plugins."""

import pytest
from django.core.files.base import ContentFile

from hotswap.lib.errors import ForbiddenError, StaleError
from observability.models import AuditEvent
from plugins.models import Environment, Plugin
from plugins.services import (
    delete_plugin,
    deprecate_plugin,
    register_plugin,
    update_plugin,
    upload_version,
)
from tests.factories import make_installation, make_plugin, make_route, make_version

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins"


def test_a_developer_registers_a_plugin_and_owns_it(as_user, bob):
    answer = as_user(bob).post(
        ADDRESS, {"name": "invoice-tax", "summary": "VAT", "tags": ["billing"]}
    )

    body = answer.json()
    assert answer.status_code == 201, body
    assert (body["name"], body["owner"], body["tags"]) == ("invoice-tax", "bob", ["billing"])
    assert (body["revision"], answer["ETag"]) == (1, '"1"')
    assert answer["Location"] == "/api/v1/plugins/invoice-tax"
    event = AuditEvent.objects.get(action="plugin.registered")
    assert (event.actor, event.object_id) == ("bob", "invoice-tax")
    assert event.trace_id == answer["X-Request-ID"]


BAD_NAMES = ["", "Billing", "1st", "a--b", "a_b", "a" * 61, "a b", "billing\n", "ünïcode"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused(as_user, bob, nothing_changes, name):
    with nothing_changes():
        answer = as_user(bob).post(ADDRESS, {"name": name})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["name"])


@pytest.mark.parametrize("name", ["echo", "Echo", "ECHO"])
def test_a_name_that_is_taken_in_any_case_is_a_conflict(echo, as_user, bob, nothing_changes, name):
    with nothing_changes():
        answer = as_user(bob).post(ADDRESS, {"name": name})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "name_taken")
    assert "echo of bob" in error["message"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"owner": "ada"}, "owner"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": ["No Tag"]}, "tags"),
        ({"tags": ["t"] * 21}, "tags"),
        ({"tags": "billing"}, "tags"),
        ({"summary": "s" * 201}, "summary"),
        ({"summary": None}, "summary"),
        ({"type": "No Type"}, "type"),
    ],
)
def test_a_bad_field_is_named(as_user, bob, nothing_changes, changes, field):
    with nothing_changes():
        answer = as_user(bob).post(ADDRESS, {"name": "fine", **changes})

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_an_owner_changes_a_plugin_once_per_revision(echo, as_user, bob):
    client = as_user(bob)

    first = client.patch(f"{ADDRESS}/echo", {"summary": "New"}, HTTP_IF_MATCH='"1"')
    late = client.patch(f"{ADDRESS}/echo", {"summary": "Late"}, HTTP_IF_MATCH='"1"')

    assert (first.status_code, first["ETag"]) == (200, '"2"')
    assert (late.status_code, late.json()["error"]["code"]) == (412, "stale")
    assert Plugin.objects.get().summary == "New"


@pytest.mark.parametrize("tag", ['"7"', '"abc"', "7", 'W/"7"'])
def test_a_foreign_tag_matches_nothing(echo, as_user, bob, nothing_changes, tag):
    with nothing_changes():
        answer = as_user(bob).patch(f"{ADDRESS}/echo", {"summary": "x"}, HTTP_IF_MATCH=tag)

    assert answer.status_code == 412


def test_put_replaces_and_patch_keeps(echo, as_user, bob):
    client = as_user(bob)
    client.put(f"{ADDRESS}/echo", {"summary": "S", "type": "tool", "tags": ["a"]})

    client.patch(f"{ADDRESS}/echo", {"summary": "T"})
    assert Plugin.objects.get().tags == ["a"]

    body = client.put(f"{ADDRESS}/echo", {"summary": "U"}).json()
    assert (body["tags"], body["type"], body["summary"]) == ([], "general", "U")


def test_two_changes_at_once_do_not_overwrite_each_other(echo, bob):
    mine, theirs = Plugin.objects.get(), Plugin.objects.get()
    update_plugin(plugin=theirs, by=bob, changes={"summary": "Theirs"})

    with pytest.raises(StaleError):
        update_plugin(plugin=mine, by=bob, changes={"summary": "Mine"})
    assert Plugin.objects.get().summary == "Theirs"


def test_only_an_admin_disables_a_plugin_and_instances_hear_of_it(echo, as_user, bob, ada):
    route = make_route(echo)
    before = Environment.objects.get(name="qa").generation

    assert as_user(bob).patch(f"{ADDRESS}/echo", {"is_active": False}).status_code == 403
    assert as_user(ada).patch(f"{ADDRESS}/echo", {"is_active": False}).status_code == 200

    route.refresh_from_db()
    assert route.generation == Environment.objects.get(name="qa").generation == before + 1


def test_a_deprecated_plugin_says_why_and_what_instead(echo, as_user, ada):
    make_plugin("echo-two")
    body = {"reason": "Too loud", "replacement": "echo-two"}

    first = as_user(ada).post(f"{ADDRESS}/echo/deprecate", body)
    again = as_user(ada).post(f"{ADDRESS}/echo/deprecate", body)

    assert (first.status_code, again.status_code) == (200, 409)
    assert first.json()["is_deprecated"] is True
    assert first.json()["replacement"] == "echo-two"


def test_a_deprecation_is_told_to_tenants_that_use_the_plugin(echo, as_user, ada, alice, acme):
    make_installation(acme, echo)
    make_plugin("echo-two")
    body = {"reason": "Too loud", "replacement": "echo-two"}
    as_user(ada).post(f"{ADDRESS}/echo/deprecate", body)

    row = as_user(alice).get("/api/v1/tenants/acme/plugins").json()["results"][0]

    assert row["deprecation"] == body
    event = AuditEvent.objects.get(action="plugin.deprecated", tenant_id=acme.pk)
    assert (event.actor, event.after) == ("ada", body)


def test_an_admin_withdraws_a_deprecation_and_tenants_hear_of_it(echo, as_user, bob, ada, acme):
    make_installation(acme, echo)
    as_user(ada).post(f"{ADDRESS}/echo/deprecate", {"reason": "Too loud"})
    undo = {"is_deprecated": False}

    assert as_user(bob).patch(f"{ADDRESS}/echo", undo).status_code == 403
    assert as_user(ada).patch(f"{ADDRESS}/echo", {"is_deprecated": True}).status_code == 400
    body = as_user(ada).patch(f"{ADDRESS}/echo", undo).json()

    assert (body["is_deprecated"], body["deprecation_reason"]) == (False, "")
    told = AuditEvent.objects.filter(action="plugin.deprecation_withdrawn", tenant_id=acme.pk)
    assert told.get().before == {"reason": "Too loud", "replacement": None}


def test_a_deprecated_plugin_replaces_nothing(echo, as_user, ada):
    make_plugin("echo-two")
    as_user(ada).post(f"{ADDRESS}/echo-two/deprecate", {"reason": "Old"})

    body = {"reason": "Too loud", "replacement": "echo-two"}
    answer = as_user(ada).post(f"{ADDRESS}/echo/deprecate", body)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["replacement"])


@pytest.mark.parametrize("name", ["biling", "billling", "billimg", "bililng"])
def test_a_name_one_slip_away_is_an_admins_to_register(as_user, bob, ada, nothing_changes, name):
    make_plugin("billing", owner=ada)

    with nothing_changes():
        answer = as_user(bob).post(ADDRESS, {"name": name})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "name_too_similar")
    assert "billing" in error["message"]
    assert as_user(ada).post(ADDRESS, {"name": name}).status_code == 201


def test_own_names_and_short_ones_may_be_neighbours(as_user, bob, ada):
    make_plugin("tax", owner=ada)
    make_plugin("billing", owner=bob)

    for name in ("fax", "billings", "shipping"):
        assert as_user(bob).post(ADDRESS, {"name": name}).status_code == 201, name


@pytest.mark.parametrize("body", [{}, {"reason": "r", "replacement": "echo"}, {"reason": ""}])
def test_a_bad_deprecation_changes_nothing(echo, as_user, ada, nothing_changes, body):
    with nothing_changes():
        assert as_user(ada).post(f"{ADDRESS}/echo/deprecate", body).status_code == 400


def test_an_unused_plugin_can_be_deleted_with_its_artifacts(
    echo, upload, as_user, ada, artifacts, django_capture_on_commit_callbacks
):
    assert upload().status_code == 201

    with django_capture_on_commit_callbacks(execute=True):
        answer = as_user(ada).delete(f"{ADDRESS}/echo")

    assert answer.status_code == 204
    assert not Plugin.objects.exists()
    assert not [path for path in artifacts.rglob("*") if path.is_file()]


@pytest.mark.parametrize("user_of_it", ["an installation", "a route"])
def test_a_plugin_that_is_used_stays(echo, as_user, ada, acme, nothing_changes, user_of_it):
    version = make_version(echo)
    if user_of_it == "a route":
        make_route(echo, stable=version)
    else:
        make_installation(acme, echo)

    with nothing_changes():
        answer = as_user(ada).delete(f"{ADDRESS}/echo")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "still_used")
    named = {"a route": "1.0.0 runs in qa", "an installation": "enabled by acme in qa"}
    assert error["fields"]["uses"] == [named[user_of_it]]


def test_lists_are_paged_filtered_and_constant_in_queries(
    as_user, victor, bob, ada, django_assert_max_num_queries
):
    for number in range(25):
        make_plugin(f"plugin-{number:02}", owner=bob)
    make_plugin("other", owner=ada)
    client = as_user(victor)

    with django_assert_max_num_queries(11):
        page = client.get(f"{ADDRESS}?limit=10&offset=20").json()

    assert (page["count"], len(page["results"])) == (26, 6)
    assert page["next"] is None and "offset=10" in page["previous"]
    assert [row["name"] for row in client.get(f"{ADDRESS}?owner=ada").json()["results"]] == [
        "other"
    ]
    assert client.get(f"{ADDRESS}?search=UGIN-0").json()["count"] == 10
    assert client.get(f"{ADDRESS}?status=deprecated").json()["count"] == 0
    newest = client.get(f"{ADDRESS}?ordering=-created_at").json()["results"][0]
    assert newest["name"] == "other"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=-1", "offset=-1", "offset=9e9", "status=x"]
)
def test_a_bad_page_is_an_error(as_user, victor, query):
    answer = as_user(victor).get(f"{ADDRESS}?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [query.partition("=")[0]]


def test_a_name_with_strange_characters_is_only_unknown(as_user, victor):
    for name in ("nothing", "%F0%9F%92%A9", "..%2f", "a" * 3000):
        assert as_user(victor).get(f"{ADDRESS}/{name}").status_code == 404, name


@pytest.mark.parametrize("address", ["/%00", "?tag=%00", "?search=%00"])
def test_a_nul_is_the_callers_error(as_user, victor, address):
    assert as_user(victor).get(f"{ADDRESS}{address}").status_code == 400


def test_a_service_refuses_whoever_has_no_right(echo, victor, carol):
    for refused in (
        lambda: register_plugin(name="x", by=victor),
        lambda: delete_plugin(plugin=echo, by=carol),
        lambda: deprecate_plugin(plugin=echo, by=carol, reason="r"),
        lambda: upload_version(plugin=echo, file=ContentFile(b""), by=victor),
    ):
        with pytest.raises(ForbiddenError):
            refused()
