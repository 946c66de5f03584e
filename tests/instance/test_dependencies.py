"""Instances and locked wheels: fetched by digest, verified, mounted, without any index."""

import os

import pytest
from django.core.files.base import ContentFile

from plugins.models import DependencyLock
from plugins.services import approve_version, upload_version
from plugins.storage import ArtifactStore
from plugins.tasks import resolve_dependencies
from tests.artifacts import plugin_zip
from tests.instance.places import RESOURCES, call
from tests.plugins.resolving_help import NATIVE_TAG
from tests.wheelhouse import LocalIndex, dependency_wheel

SOURCE = """\
import json

import other
import thing
from hotswap_plugin import Plugin


class Echo(Plugin):
    def echo(self, ctx):
        return {"thing": thing.VERSION, "other": other.VERSION, "json": json.__name__}
"""
METHODS = {"echo": {"input_schema": {"type": "object"}}}


@pytest.fixture
def index(settings):
    index = LocalIndex()
    settings.INDEX_URL, settings.INDEX_FILE_HOSTS = index.url, []
    yield index
    index.stop()


@pytest.fixture
def publish(place, index):
    """A version of echo that needs ``thing``, which needs ``other``; resolved and approved."""

    def publish(version="1.0.0", files=None, **manifest):
        data = plugin_zip(
            {"echo.py": SOURCE, **(files or {})},
            version=version,
            methods=METHODS,
            resources=RESOURCES,
            dependencies={"python": ["thing"]},
            **manifest,
        )
        row = upload_version(
            plugin=place.plugin, file=ContentFile(data, name="echo.zip"), by=place.bob
        )
        resolve_dependencies()
        row.refresh_from_db()
        return approve_version(version=row, by=place.carol)

    index.add("thing", "1.2", requires=["other"])
    index.add("other", "3.4")
    return publish


def test_a_call_uses_the_locked_wheels_and_no_index(place, index, publish):
    place.route(stable=publish())
    index.stop()
    instance = place.start()
    answer = call(instance, "acme", place.keys["acme"])
    assert answer.json()["result"] == {"thing": "1.2", "other": "3.4", "json": "json"}


def test_modules_of_the_artifact_come_before_those_of_its_dependencies(place, publish):
    place.route(stable=publish(files={"other.py": "VERSION = 'my own'\n"}))
    instance = place.start()
    answer = call(instance, "acme", place.keys["acme"])
    assert answer.json()["result"]["other"] == "my own"


def refused_load(place, version):
    place.route(stable=version)
    place.start()
    return place.wait_placed(version, state="failed").detail


def test_a_lock_that_was_altered_in_the_database_is_not_loaded(place, publish):
    version = publish()
    lock = DependencyLock.objects.get()
    swapped = [row | {"sha256": "f" * 64} for row in lock.packages]
    DependencyLock.objects.update(packages=swapped)
    assert "not the one with the digest" in refused_load(place, version)


def test_a_wheel_that_was_altered_in_the_storage_is_not_loaded(place, index, publish):
    index.add("other", "3.5")  # no other test's, which would find it altered
    version = publish()
    digest = DependencyLock.objects.get().packages[0]["sha256"]
    with ArtifactStore().open(digest) as file:
        path = file.name
    os.chmod(path, 0o644)  # noqa: PTH101 - the name is the storage's
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(dependency_wheel("other", "6.6"))
    assert "has another sha256" in refused_load(place, version)


def test_a_compiled_wheel_is_mounted_like_any_other(place, index, publish):
    index.add("thing", "2.0", tag=NATIVE_TAG, requires=["other"])
    place.route(stable=publish(permissions={"native": True}))
    instance = place.start()
    answer = call(instance, "acme", place.keys["acme"])
    assert answer.json()["result"]["thing"] == "2.0"
