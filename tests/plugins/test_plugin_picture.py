import pytest

from plugins.models import PluginDependency, VersionStatus
from plugins.plugin_picture import DEPENDENTS_SHOWN, picture_of, specifier_words
from tests.factories import make_plugin, make_version

pytestmark = pytest.mark.django_db


def version(plugin, number, status=VersionStatus.APPROVED, **needs):
    row = make_version(plugin, number, status=status)
    for name, specifier in needs.items():
        PluginDependency.objects.create(version=row, name=name, specifier=specifier)
    return row


@pytest.fixture
def tax(bob):
    return make_plugin("tax", owner=bob)


@pytest.fixture
def currency(bob):
    plugin = make_plugin("currency", owner=bob)
    version(plugin, "1.6.0")
    return plugin


def drawn(plugin):
    picture = picture_of(plugin).picture
    notes = {box.name: (box.note, box.tone) for box in picture.boxes}
    return notes, [(line.source, line.target, line.label, line.is_met) for line in picture.lines]


def test_a_plugin_that_stands_alone_has_no_picture(tax, currency):
    version(tax, "1.0.0")
    assert picture_of(tax) is None


def test_it_shows_what_the_plugin_needs(tax, currency):
    version(tax, "1.0.0", currency="<2,>=1.5")
    notes, lines = drawn(tax)
    assert notes == {"tax": ("1.0.0", "self"), "currency": ("1.6.0", "plain")}
    assert lines == [("tax", "currency", ">=1.5,<2", True)]


def test_it_shows_who_needs_the_plugin_each_once(tax, currency):
    version(tax, "1.0.0", currency=">=1.5")
    version(tax, "1.1.0", status=VersionStatus.DRAFT, currency=">=3")
    notes, lines = drawn(currency)
    assert notes == {"currency": ("1.6.0", "self"), "tax": ("1.1.0", "plain")}
    assert lines == [("tax", "currency", ">=3", False)]


def test_what_is_missing_is_drawn_as_missing_and_explained(tax):
    version(tax, "1.0.0", currency=">=1.5")
    notes, lines = drawn(tax)
    assert notes["currency"] == ("not there", "missing")
    assert lines == [("tax", "currency", ">=1.5", False)]
    assert "currency" in picture_of(tax).conflicts[0]


def test_many_dependents_are_counted_rather_than_drawn(tax, currency, bob):
    for number in range(DEPENDENTS_SHOWN + 3):
        version(make_plugin(f"user-{number:02}", owner=bob), "1.0.0", currency=">=1")
    assert picture_of(currency).hidden == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [("<2,>=1.5", ">=1.5,<2"), ("!=1.7,<2,>=1", ">=1,!=1.7,<2"), ("~=1.4", "~=1.4"), ("", "")],
)
def test_bounds_are_read_from_low_to_high(text, words):
    assert specifier_words(text) == words
