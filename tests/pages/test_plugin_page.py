import pytest

from plugins.models import Plugin, VersionStatus
from plugins.rules import give_plugin
from tests.factories import (
    make_installation,
    make_instance,
    make_placement,
    make_plugin,
    make_tenant,
    make_user,
    make_version,
    minimal_manifest,
)

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.fixture
def draft(echo):
    return make_version(echo, "2.0.0", status=VersionStatus.DRAFT)


@pytest.fixture
def shown(signed_in, victor):
    """``shown()``: the plugin's page as a Viewer gets it."""
    return lambda query="": signed_in(victor).get(f"/plugins/echo/{query}")


def test_it_counts_who_runs_what_where(shown, stable):
    make_placement(make_instance("i-9"), stable)
    for number in range(3):
        make_installation(make_tenant(f"tenant-{number}"), stable.plugin)
    page = shown()
    (use,) = page.context["usage"]
    assert [(each.version, each.roles, each.tenants) for each in use.versions] == [
        (stable, ("stable",), 3)
    ]
    assert "i-9" in text(page)
    assert "3 installations" in text(page)


def test_a_version_leads_to_its_page_and_says_why_it_was_retired(shown, echo):
    version = make_version(echo, "1.0.0", status=VersionStatus.REVOKED)
    version.status_reason = "leaks totals"
    version.save()
    page = text(shown())
    assert 'href="/plugins/echo/1.0.0/"' in page
    assert "leaks totals" in page


def test_an_approver_is_asked_to_review_a_draft(signed_in, bob, carol, victor, draft):
    assert "Review<" in text(signed_in(carol).get("/plugins/echo/"))
    for person in (bob, victor):
        assert "Review<" not in text(signed_in(person).get("/plugins/echo/"))


def test_whoever_was_given_the_plugin_is_named_beside_its_owner(shown, echo):
    give_plugin(make_user("dora", role="Developer"), echo)
    assert "owned by bob, with dora" in text(shown())


def test_a_deprecated_plugin_names_what_replaces_it(shown, echo):
    echo.is_deprecated, echo.deprecation_reason = True, "too loud"
    echo.replacement = make_plugin("whisper")
    echo.save()
    page = text(shown())
    assert "too loud" in page
    assert 'Use <a href="/plugins/whisper/">whisper</a> instead' in page


def test_the_newest_version_is_compared_with_the_approved_one_before(shown, echo):
    make_version(echo, "1.0.0")
    make_version(echo, "1.1.0", status=VersionStatus.REJECTED)
    make_version(echo, "1.2.0", status=VersionStatus.DRAFT)
    comparison = shown().context["comparison"]
    assert (comparison.before.version, comparison.after.version) == ("1.0.0", "1.2.0")


def test_any_two_versions_can_be_compared(shown, echo):
    make_version(echo, "1.0.0")
    reaching = minimal_manifest(
        "echo", "1.1.0", permissions={"egress": [{"host": "api.example.com"}]}
    )
    make_version(echo, "1.1.0", manifest=reaching)
    make_version(echo, "1.2.0")
    forth = shown("?from=1.0.0&to=1.1.0")
    assert [(each.kind, each.name) for each in forth.context["comparison"].grants] == [
        ("added", "api.example.com")
    ]
    assert "Asks for egress to api.example.com" in text(forth)
    back = shown("?from=1.1.0&to=1.0.0").context["comparison"]
    assert [each.kind for each in back.grants] == ["removed"]


@pytest.mark.parametrize("query", ["?from=9.9.9&to=x", "?from=&to=", "?page=99", "?to=%00"])
def test_an_address_that_makes_no_sense_shows_the_usual(shown, stable, draft, query):
    assert shown(query).status_code == 200


def test_a_plugin_is_registered_and_then_asks_for_its_first_version(signed_in, bob):
    answer = signed_in(bob).post("/register/", {"name": "invoice-tax", "summary": "VAT"})
    assert answer.url == "/plugins/invoice-tax/upload/"
    assert Plugin.objects.get().owner == bob


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Echo", "lower-case"), ("echo", "Plugin echo has it."), ("", "required")],
)
def test_a_name_that_cannot_be_is_refused_beside_the_field(name, problem, signed_in, bob, echo):
    page = signed_in(bob).post("/register/", {"name": name, "summary": ""})
    assert page.status_code == 400
    assert problem in text(page)
    assert Plugin.objects.count() == 1


def test_only_developers_register(signed_in, carol):
    assert signed_in(carol).post("/register/", {"name": "x", "summary": ""}).status_code == 403


def test_a_plugin_that_does_not_exist_is_not_found_in_plain_words(signed_in, victor):
    page = signed_in(victor).get("/plugins/nothing/")
    assert page.status_code == 404
    assert "There is nothing here for you" in text(page)


def test_more_of_everything_is_no_more_queries(
    signed_in, carol, echo, stable, draft, django_assert_max_num_queries
):
    client = signed_in(carol)
    with django_assert_max_num_queries(32) as few:
        client.get("/plugins/echo/")
    instance = make_instance()
    for number in range(1, 15):
        make_placement(instance, make_version(echo, f"1.{number}.0", status=VersionStatus.DRAFT))
        make_installation(make_tenant(f"tenant-{number}"), echo)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get("/plugins/echo/")
