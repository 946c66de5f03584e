"""Resolutions when workers die, overlap or come too late."""

import threading

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from hotswap.lib.database import scope_all
from plugins.models import Resolution, ResolutionStatus
from plugins.resolving import running
from plugins.resolving.attempts import sole_resolver
from plugins.services import upload_version
from plugins.tasks import resolve_dependencies
from tests.artifacts import plugin_zip
from tests.factories import make_plugin, make_user
from tests.waiting import wait_until
from tests.wheelhouse import LocalIndex

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def index(settings):
    index = LocalIndex()
    index.add("lib")
    settings.INDEX_URL, settings.INDEX_FILE_HOSTS = index.url, []
    yield index
    index.stop()


@pytest.fixture
def resolution(index, keys_dir, redis_url):
    plugin = make_plugin("echo", owner=make_user("bob", role="Developer"))
    data = plugin_zip(dependencies={"python": ["lib"]})
    file = ContentFile(data, name="echo.zip")
    version = upload_version(plugin=plugin, file=file, by=plugin.owner)
    return Resolution.objects.get(version=version)


def test_what_a_dead_worker_left_is_done_by_the_next(resolution):
    Resolution.objects.update(status=ResolutionStatus.RUNNING, progress=[{"message": "half"}])
    resolve_dependencies()
    resolution.refresh_from_db()
    assert (resolution.status, resolution.attempt) == ("resolved", 2)
    assert "half" not in str(resolution.progress)


def test_a_second_message_for_the_same_work_changes_nothing(index, resolution):
    resolve_dependencies()
    asked = list(index.asked)
    resolve_dependencies()
    resolution.refresh_from_db()
    assert (resolution.attempt, index.asked) == (1, asked)


def test_two_workers_do_not_resolve_at_once(index, resolution):
    def other():
        with scope_all(), sole_resolver() as is_ours:
            held.set()
            over.wait(30)
            results.append(is_ours)
        connection.close()

    held, over, results = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=other)
    thread.start()
    held.wait(30)
    resolve_dependencies()
    over.set()
    thread.join()
    resolution.refresh_from_db()
    assert (results, resolution.status, index.asked) == ([True], "pending", [])


def test_a_worker_that_was_taken_for_dead_writes_nothing_more(resolution, monkeypatch):
    choose = running.choose_wheels

    def be_overtaken(*arguments, **options):
        Resolution.objects.update(attempt=7)
        return choose(*arguments, **options)

    monkeypatch.setattr(running, "choose_wheels", be_overtaken)
    running._attempt(running.claim_next())
    resolution.refresh_from_db()
    resolution.version.refresh_from_db()
    assert (resolution.status, resolution.attempt) == ("running", 7)
    assert resolution.version.lock_digest == ""


def test_a_fault_of_ours_ends_the_attempt(resolution, monkeypatch):
    def break_down(*_, **__):
        raise KeyError("oops")

    monkeypatch.setattr(running, "choose_wheels", break_down)
    resolve_dependencies()
    resolution.refresh_from_db()
    assert (resolution.status, resolution.problem["code"]) == ("failed", "resolution_failed")


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_replaced(index, processes, settings, keys_dir):
    """The database gives its lock back the moment that it dies, so nobody waits for a timeout."""
    index.open.clear()
    chosen = {"HOTSWAP_INDEX_URL": index.url}
    first = processes.start_worker("w-1", **chosen)
    plugin = make_plugin("echo", owner=make_user("bob", role="Developer"))
    file = ContentFile(plugin_zip(dependencies={"python": ["lib"]}), name="echo.zip")
    version = upload_version(plugin=plugin, file=file, by=plugin.owner)
    wait_until(lambda: index.asked, seconds=60, what="the first worker asks the index")

    first.kill()
    index.open.set()
    processes.start_worker("w-2", **chosen)
    resolve_dependencies.delay()  # as beat does every few seconds

    done = Resolution.objects.filter(version=version, status=ResolutionStatus.RESOLVED)
    wait_until(done.exists, seconds=60, what="the second worker resolves it")
    assert done.get().attempt == 2
