import pytest

from tests.factories import make_plugin, make_route, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(bob):
    """Four plugins that differ in everything that can be asked for."""
    dora = make_user("dora", role="Developer")
    for name, owner, changes in (
        ("invoice-tax", bob, {"type": "finance", "tags": ["europe", "vat"]}),
        ("currency", bob, {"type": "finance", "tags": ["europe"]}),
        ("echo", dora, {"is_deprecated": True, "summary": "Says 100 % of it again"}),
        ("mirror", dora, {"is_active": False}),
    ):
        plugin = make_plugin(name, owner=owner)
        for field, value in changes.items():
            setattr(plugin, field, value)
        plugin.save()


@pytest.fixture
def found(signed_in, victor):
    """``found(type="finance")``: the names that the list shows."""

    def ask(**query):
        page = signed_in(victor).get("/plugins/", query)
        assert page.status_code == 200
        return [row.plugin.name for row in page.context["rows"]]

    return ask


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["currency", "echo", "invoice-tax", "mirror"]),
        ({"search": "TAX"}, ["invoice-tax"]),
        ({"search": "100 %"}, ["echo"]),
        ({"type": "finance"}, ["currency", "invoice-tax"]),
        ({"tag": "vat"}, ["invoice-tax"]),
        ({"owner": "dora"}, ["echo", "mirror"]),
        ({"status": "active"}, ["currency", "invoice-tax"]),
        ({"status": "deprecated"}, ["echo"]),
        ({"status": "disabled"}, ["mirror"]),
        ({"owner": "bob", "tag": "europe", "search": "cur"}, ["currency"]),
        ({"order": "created"}, ["invoice-tax", "currency", "echo", "mirror"]),
        ({"order": "-created"}, ["mirror", "echo", "currency", "invoice-tax"]),
        ({"status": "imaginary"}, []),
        ({"search": "\0\\%_"}, []),
        ({"order": "owner__password"}, ["currency", "echo", "invoice-tax", "mirror"]),
    ],
)
def test_the_list_is_narrowed_and_ordered(query, names, registry, found):
    assert found(**query) == names


def test_it_says_how_many_of_how_many(signed_in, victor, registry):
    page = signed_in(victor).get("/plugins/?type=finance").content.decode()
    assert "2 of 4 plugins" in page
    assert "4 plugins" in signed_in(victor).get("/plugins/").content.decode()


def test_what_was_chosen_stays_chosen(signed_in, victor, registry):
    page = signed_in(victor).get("/plugins/?type=finance&tag=vat&order=-updated").content.decode()
    for option in ("finance", "vat", "-updated"):
        assert f'<option value="{option}" selected>' in page
    assert '<option value="europe">' in page


def test_an_empty_answer_names_what_was_asked_and_the_way_out(signed_in, victor, registry):
    page = signed_in(victor).get("/plugins/", {"search": "<b>x", "tag": "moon"}).content.decode()
    assert "No plugin matches “&lt;b&gt;x” with tag <em>moon</em>" in page
    assert "show all 4 plugins" in page


def test_the_next_page_keeps_the_filters(signed_in, victor, bob):
    for number in range(30):
        make_plugin(f"plugin-{number:02}", owner=bob)
    page = signed_in(victor).get("/plugins/?search=plugin&order=-created")
    assert "?search=plugin&amp;order=-created&amp;page=2" in page.content.decode()
    second = signed_in(victor).get("/plugins/?search=plugin&order=-created&page=2")
    assert [row.plugin.name for row in second.context["rows"]][-1] == "plugin-00"


def test_a_tenants_owner_has_no_list(signed_in, acme, alice):
    assert signed_in(alice).get("/plugins/").status_code == 403


def test_more_plugins_are_no_more_queries(signed_in, victor, bob, django_assert_max_num_queries):
    client = signed_in(victor)
    with django_assert_max_num_queries(18) as few:
        make_route(make_plugin("first", owner=bob))
        client.get("/plugins/?search=i")
    for number in range(20):
        plugin = make_plugin(f"plugin-{number}", owner=bob)
        make_route(plugin, stable=make_version(plugin, "1.0.0"))
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get("/plugins/?search=i")
