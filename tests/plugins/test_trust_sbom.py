"""Bills of materials, against the schema of CycloneDX itself."""

import json
from datetime import UTC, datetime
from importlib import resources

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from plugins.manifest import load_manifest
from plugins.trust.sbom import SbomFile, add_packages, make_sbom
from tests.artifacts import manifest_data

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILES = [SbomFile("hotswap.toml", "a" * 64), SbomFile("données/echo plugin.py", "b" * 64)]
PACKAGES = [
    {
        "name": "Babel",
        "version": "2.14.0",
        "filename": "babel-2.14.0-py3-none-any.whl",
        "sha256": "c" * 64,
        "bytes": 1000,
        "requires": ["pytz>=2015.7; python_version < '3.9'", "tzdata (>=2)", "%%%"],
    },
    {
        "name": "tzdata",
        "version": "2025.1",
        "filename": "tzdata-2025.1-py2.py3-none-any.whl",
        "sha256": "d" * 64,
        "bytes": 1000,
        "requires": [],
    },
]


def schema(name):
    folder = resources.files("cyclonedx") / "schema" / "_res"
    return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())


@pytest.fixture(scope="module")
def validator():
    """Every schema that it refers to is at hand: nothing is fetched."""
    others = {name: Resource.from_contents(schema(name)) for name in ("spdx", "jsf-0.82")}
    base = "http://cyclonedx.org/schema/"
    registry = Registry().with_resources(
        (f"{base}{name}.SNAPSHOT.schema.json", each) for name, each in others.items()
    )
    return Draft7Validator(schema("bom-1.6"), registry=registry)


def sbom(**changes):
    return make_sbom(load_manifest(manifest_data(**changes)), "e" * 64, FILES, AT)


WITH_BABEL = {"dependencies": {"python": ["babel>=2.14"]}}
BILLS = {
    "a plugin alone": sbom(author="Ada"),
    "declared packages": sbom(**WITH_BABEL),
    "locked packages": add_packages(sbom(**WITH_BABEL), PACKAGES),
    "locked twice": add_packages(add_packages(sbom(**WITH_BABEL), PACKAGES), PACKAGES[1:]),
}


@pytest.mark.parametrize("bill", BILLS.values(), ids=BILLS)
def test_a_bill_is_valid(validator, bill):
    assert [error.message for error in validator.iter_errors(bill)] == []


@pytest.mark.parametrize("bill", BILLS.values(), ids=BILLS)
def test_every_reference_leads_to_one_part(bill):
    parts = [bill["metadata"]["component"], *bill["components"]]
    refs = [part["bom-ref"] for part in parts]
    named = {edge["ref"] for edge in bill["dependencies"]}
    named |= {ref for edge in bill["dependencies"] for ref in edge["dependsOn"]}
    named |= {ref for each in bill["compositions"] for ref in each["dependencies"]}

    assert len(refs) == len(set(refs))
    assert named <= set(refs)


def test_the_schema_would_notice(validator):
    assert list(validator.iter_errors(sbom() | {"specVersion": 1.6}))
    broken = sbom()
    broken["components"][0]["hashes"] = [{"alg": "SHA-256", "content": "no digest"}]
    assert list(validator.iter_errors(broken))


def test_a_bill_names_the_plugin_and_its_files():
    bill = sbom(author="Ada")

    component = bill["metadata"]["component"]
    assert (component["name"], component["version"]) == ("echo", "1.0.0")
    assert component["hashes"] == [{"alg": "SHA-256", "content": "e" * 64}]
    assert component["authors"] == [{"name": "Ada"}]
    files = {part["name"]: part["hashes"][0]["content"] for part in bill["components"]}
    assert files == {file.path: file.sha256 for file in FILES}


def test_the_same_artifact_has_the_same_bill():
    assert sbom() == sbom()
    other = make_sbom(load_manifest(manifest_data()), "f" * 64, FILES, AT)
    assert other["serialNumber"] != sbom()["serialNumber"]


def libraries(bill):
    return {p["name"]: p.get("version") for p in bill["components"] if p["type"] == "library"}


def edges(bill):
    return {edge["ref"]: edge["dependsOn"] for edge in bill["dependencies"]}


def completeness(bill):
    (composition,) = bill["compositions"]
    return composition["aggregate"]


def test_what_is_only_declared_has_no_version_and_the_bill_says_it_is_incomplete():
    bill = sbom(**WITH_BABEL)

    assert libraries(bill) == {"babel": None}
    assert completeness(bill) == "incomplete"
    assert completeness(sbom()) == "complete"


def test_a_lock_completes_it():
    before = sbom(**WITH_BABEL)
    bill = add_packages(before, PACKAGES)

    assert libraries(bill) == {"babel": "2.14.0", "tzdata": "2025.1"}
    assert edges(bill) == {
        "plugin:echo@1.0.0": ["pypi:babel@2.14.0"],
        "pypi:babel@2.14.0": ["pypi:tzdata@2025.1"],
        "pypi:tzdata@2025.1": [],
    }
    assert completeness(bill) == "complete"
    assert (before["version"], bill["version"]) == (1, 2)
    assert bill["serialNumber"] == before["serialNumber"]
    assert libraries(before) == {"babel": None}


def test_another_lock_takes_the_place_of_the_one_before():
    newer = [PACKAGES[0] | {"version": "2.15.0"}, PACKAGES[1]]
    bill = add_packages(add_packages(sbom(**WITH_BABEL), PACKAGES), newer)

    assert libraries(bill) == {"babel": "2.15.0", "tzdata": "2025.1"}
    assert edges(bill)["plugin:echo@1.0.0"] == ["pypi:babel@2.15.0"]
    assert bill["version"] == 3
