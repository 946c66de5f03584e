"""Which versions and wheels are chosen, and what is said when none can be."""

import pytest

from plugins.resolving.inside.errors import Refused
from tests.plugins.resolving_help import (
    FOREIGN_TAG,
    NATIVE_TAG,
    choose_near,
    resolve_near,
)
from tests.wheelhouse import LocalIndex


@pytest.fixture(params=["json", "html"])
def index(request):
    return LocalIndex(as_html=request.param == "html", serve=False)


def refusal(index, *requirements, **options):
    with pytest.raises(Refused) as caught:
        resolve_near(index, *requirements, **options)
    return caught.value.code, caught.value.message


def test_the_newest_versions_that_fit_are_chosen(index):
    for version in ("1.0", "1.9", "1.10", "2.0"):
        index.add("lib", version)
    index.add("app", requires=["lib<2"])
    assert resolve_near(index, "app") == {"app": "1.0", "lib": "1.10"}


def test_each_package_names_what_it_needs(index):
    index.add("app", requires=["lib", "other; python_version < '3'"])
    index.add("lib")
    chosen = {each.name: each for each in choose_near(index, "app")}
    assert chosen["app"].requires == ("lib",)
    assert chosen["lib"].requires == ()


def test_an_older_version_is_taken_where_the_newest_conflicts(index):
    index.add("a", "2.0", requires=["shared>=2"])
    index.add("a", "1.0", requires=["shared>=1"])
    index.add("b", "1.0", requires=["shared<2"])
    index.add("shared", "1.0")
    index.add("shared", "2.0")
    assert resolve_near(index, "a", "b") == {"a": "1.0", "b": "1.0", "shared": "1.0"}


def test_a_conflict_names_both_requirers(index):
    index.add("a", requires=["shared>=2"])
    index.add("b", requires=["shared<2"])
    index.add("shared", "1.0")
    index.add("shared", "2.0")
    code, message = refusal(index, "a", "b")
    assert code == "dependency_conflict"
    assert "a 1.0 needs shared>=2" in message
    assert "b 1.0 needs shared<2" in message


def test_a_conflict_with_the_manifest_names_the_manifest(index):
    index.add("a", requires=["shared>=2"])
    index.add("shared", "1.0")
    index.add("shared", "2.0")
    _, message = refusal(index, "a", "shared<2")
    assert "a 1.0 needs shared>=2" in message
    assert "the manifest needs shared<2" in message


def test_packages_that_need_each_other_are_no_problem(index):
    index.add("a", requires=["b"])
    index.add("b", requires=["c"])
    index.add("c", requires=["a"])
    assert resolve_near(index, "a") == {"a": "1.0", "b": "1.0", "c": "1.0"}


@pytest.mark.parametrize(
    "reference",
    [
        "canary @ file:///tmp/canary-1.0.tar.gz",
        "canary @ http://127.0.0.1:1/canary-1.0.tar.gz",
        "canary @ git+https://example.com/canary.git",
        "canary @ http://127.0.0.1:1/canary-1.0.tar.gz ; python_version < '3'",
        "canary @ file:///tmp/x ; extra == 'never-asked-for'",
        "-e git+https://example.com/canary.git#egg=canary",
        "--index-url https://packages.example/",
        "file:///tmp/canary-1.0.tar.gz",
    ],
)
def test_a_direct_reference_is_refused_with_the_name_of_who_asks(index, reference):
    index.add("app", requires=["middle"])
    index.add("middle", requires=[reference])
    code, message = refusal(index, "app")
    assert code == "dependency_reference"
    assert "middle 1.0 asks for" in message


def test_a_reference_in_the_manifest_is_refused_too(index):
    code, message = refusal(index, "canary @ file:///tmp/canary.tar.gz")
    assert (code, "The manifest asks for" in message) == ("dependency_reference", True)


def test_a_package_with_only_source_distributions_is_refused_for_that(index):
    index.add("app", requires=["source"])
    index.add_sdist("source")
    code, message = refusal(index, "app")
    assert code == "dependency_sdist_only"
    assert "app 1.0 needs source" in message
    assert "only source distributions" in message


def test_a_package_that_is_not_there_is_named(index):
    index.add("app", requires=["missing"])
    code, message = refusal(index, "app")
    assert (code, "app 1.0 needs missing" in message) == ("dependency_not_found", True)


def test_a_version_that_is_not_there_says_what_is(index):
    index.add("lib", "1.4")
    code, message = refusal(index, "lib>=2")
    assert (code, "the newest there is 1.4" in message) == ("dependency_not_found", True)


def test_wheels_for_another_platform_are_refused_for_that(index):
    index.add("lib", tag=FOREIGN_TAG)
    code, message = refusal(index, "lib", native=True)
    assert (code, "none for this platform" in message) == ("dependency_incompatible", True)


def test_compiled_wheels_need_the_manifest_to_say_so(index):
    index.add("fast", tag=NATIVE_TAG)
    assert refusal(index, "fast")[0] == "dependency_native"
    assert resolve_near(index, "fast", native=True) == {"fast": "1.0"}


def test_the_best_wheel_for_the_platform_is_taken(index):
    index.add("fast", tag="py3-none-any")
    index.add("fast", tag=NATIVE_TAG)
    (pure,) = choose_near(index, "fast")
    (compiled,) = choose_near(index, "fast", native=True)
    assert pure.filename.endswith("any.whl")
    assert compiled.filename.endswith(f"{NATIVE_TAG}.whl")


def test_requires_python_is_honoured_on_the_page_and_in_the_metadata(index):
    index.add("lib", "3.0", entry={"requires-python": ">=3.99"})
    index.add("lib", "2.0", python=">=3.98")
    index.add("lib", "1.0")
    assert resolve_near(index, "lib") == {"lib": "1.0"}
    assert refusal(index, "lib>=3")[0] == "dependency_incompatible"
    code, message = refusal(index, "lib==2.0")
    assert (code, "needs Python >=3.98" in message) == ("dependency_unusable", True)


def test_yanked_files_are_left_out_unless_their_version_is_pinned(index):
    index.add("lib", "2.0", entry={"yanked": "wrong sums"})
    index.add("lib", "1.0")
    assert resolve_near(index, "lib") == {"lib": "1.0"}
    assert resolve_near(index, "lib==2.0") == {"lib": "2.0"}
    assert refusal(index, "lib>=2")[0] == "dependency_yanked"


def test_pre_releases_are_taken_where_a_constraint_names_one(index):
    index.add("lib", "2.0rc1")
    index.add("lib", "1.0")
    assert resolve_near(index, "lib") == {"lib": "1.0"}
    assert resolve_near(index, "lib>=2.0rc1") == {"lib": "2.0rc1"}


def test_extras_bring_their_own_needs(index):
    index.add("app", requires=["lib[fast]"])
    index.add("lib", requires=["quick; extra == 'fast'", "slow; extra == 'lazy'", "always"])
    for name in ("quick", "slow", "always"):
        index.add(name)
    found = resolve_near(index, "app")
    assert found == {"app": "1.0", "lib": "1.0", "quick": "1.0", "always": "1.0"}
    chosen = {each.name: each for each in choose_near(index, "app")}
    assert chosen["lib"].requires == ("always", "quick")


def test_metadata_beside_the_wheel_is_used(index):
    index.add("lib", entry={"core-metadata": True}, data=b"no zip at all")
    index.add_metadata("lib-1.0-py3-none-any.whl", "Name: lib\nVersion: 1.0\nRequires-Dist: x\n")
    index.add("x")
    assert resolve_near(index, "lib") == {"lib": "1.0", "x": "1.0"}


def test_a_wheel_about_something_else_is_not_used(index):
    index.add("lib", "2.0", metadata="Metadata-Version: 2.1\nName: other\nVersion: 2.0\n")
    index.add("lib", "1.0")
    assert resolve_near(index, "lib") == {"lib": "1.0"}


def test_files_without_a_digest_are_not_used(index):
    index.add("lib", entry={"hashes": {}})
    assert refusal(index, "lib")[0] == "dependency_unhashed"


def test_a_page_that_is_no_page_is_refused(index):
    index.pages["lib"] = None
    index.page = lambda name: ("application/vnd.pypi.simple.v1+json", b"{" * 5000)
    assert refusal(index, "lib")[0] == "index_refused"
    index.page = lambda name: ("image/png", b"")
    assert refusal(index, "lib")[0] == "index_refused"
