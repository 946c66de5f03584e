"""The sweep in the background: in pieces, resumable, counted for Prometheus."""

import hashlib

import pytest
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, storages
from prometheus_client import CollectorRegistry, generate_latest

from observability.models import AuditEvent
from plugins.storage import StorageError
from plugins.sweep.gauges import SweepCollector
from plugins.sweep.nightly import LAST, LOCK, RUNNING, continue_sweep, last_sweep
from plugins.tasks import begin_storage_sweep, continue_storage_sweep
from tests.factories import make_plugin, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_sweep():
    yield cache.delete_many([RUNNING, LAST, LOCK])
    cache.delete_many([RUNNING, LAST, LOCK])


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    directory = tmp_path / "artifacts"
    monkeypatch.setitem(storages._storages, "artifacts", FileSystemStorage(location=directory))
    return directory / "artifacts/sha256"


@pytest.fixture
def versions(artifacts):
    """Three: the first in the order of digests is well, the second altered, the third missing."""
    plugin = make_plugin("echo", owner=make_user("bob"))
    contents = sorted((b"1", b"2", b"3"), key=lambda data: hashlib.sha256(data).hexdigest())
    artifacts.mkdir(parents=True)
    for number, data in enumerate(contents):
        digest = hashlib.sha256(data).hexdigest()
        make_version(plugin, f"1.{number}.0", digest=digest)
        if number < 2:
            (artifacts / digest).write_bytes(data if number == 0 else b"altered")


def test_nothing_happens_until_a_sweep_has_begun(versions):
    assert continue_sweep() is None
    assert last_sweep() is None


def test_a_sweep_goes_through_in_pieces_and_is_remembered(versions):
    begin_storage_sweep()
    pieces = [continue_sweep(seconds=0) for _ in range(3)]
    assert [piece.objects for piece in pieces] == [1, 2, 3]
    continue_storage_sweep()
    assert continue_sweep() is None
    last = last_sweep()
    assert last.finished_at
    assert (last.objects, dict(last.found)) == (3, {"altered": 1, "missing": 1})
    assert AuditEvent.objects.filter(object_type="artifact", actor="platform").count() == 2


def test_beginning_again_does_not_lose_the_place(versions):
    begin_storage_sweep()
    continue_sweep(seconds=0)
    begin_storage_sweep()
    assert continue_sweep(seconds=0).objects == 2


def test_two_workers_do_not_sweep_at_once(versions):
    begin_storage_sweep()
    cache.add(LOCK, 1)
    assert continue_sweep() is None


def test_a_storage_that_fails_leaves_the_place_for_the_next_minute(versions, monkeypatch):
    begin_storage_sweep()
    continue_sweep(seconds=0)
    with monkeypatch.context() as failing:
        lost = StorageError("gone")
        failing.setattr("plugins.sweep.walk.Sweep._digest", lambda *_: (_ for _ in ()).throw(lost))
        with pytest.raises(StorageError):
            continue_sweep()
    assert continue_sweep().objects == 3


def metrics():
    registry = CollectorRegistry()
    registry.register(SweepCollector())
    return generate_latest(registry).decode()


def test_prometheus_sees_what_the_last_sweep_found(versions):
    assert "hotswap_storage" not in metrics()
    begin_storage_sweep()
    continue_sweep()
    assert 'hotswap_storage_findings{problem="altered"} 1.0' in metrics()
    assert 'hotswap_storage_findings{problem="orphaned"} 0.0' in metrics()
    assert "hotswap_storage_swept_timestamp_seconds" in metrics()


def test_metrics_answer_without_the_cache(settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/valkey.sock"}
    }
    assert "hotswap_storage" not in metrics()


def test_metrics_of_the_web_process_have_it(versions, client):
    begin_storage_sweep()
    continue_sweep()
    assert b"hotswap_storage_findings" in client.get("/metrics").content
