"""What ``./dev doctor`` says about the storage and its last sweep."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, storages
from django.utils import timezone

from hotswap.diagnosis import examine
from plugins.sweep.nightly import LAST, Progress

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_sweep():
    yield cache.delete(LAST)
    cache.delete(LAST)


@pytest.fixture
def use(monkeypatch):
    return lambda storage: monkeypatch.setitem(storages._storages, "artifacts", storage)


def said():
    return {each.about: each for each in examine() if each.about.startswith("storage")}


def swept(*, days_ago=0, **found):
    end = (timezone.now() - timedelta(days=days_ago)).timestamp()
    cache.set(LAST, asdict(Progress(end, objects=5, found=found, finished_at=end)))


def test_a_directory_that_works_is_well(use, tmp_path):
    use(FileSystemStorage(location=tmp_path / "artifacts"))
    findings = said()
    assert set(findings) == {"storage", "storage probe", "storage sweep"}
    assert all(each.ok for each in findings.values())


def test_a_directory_that_cannot_be_used_comes_with_the_fix(use, tmp_path):
    (tmp_path / "file").write_text("")
    use(FileSystemStorage(location=tmp_path / "file/artifacts"))
    finding = said()["storage"]
    assert not finding.ok
    assert "file/artifacts" in finding.detail
    assert "owner, rights" in finding.fix


@pytest.mark.s3
def test_a_bucket_without_versions_comes_with_the_fix(use, s3_server):
    use(s3_server.storage(s3_server.new_bucket()))
    findings = said()
    assert findings["storage"].ok
    assert findings["storage probe"].ok
    assert not findings["storage versions"].ok
    assert "setupstorage" in findings["storage versions"].fix


@pytest.mark.parametrize(
    ("sweep", "fix"),
    [
        ({"altered": 1}, "verifyartifacts --restore"),
        ({"missing": 1}, "verifyartifacts --restore"),
        ({"days_ago": 5}, "beat"),
    ],
)
def test_a_bad_or_overdue_sweep_comes_with_the_fix(sweep, fix):
    swept(**sweep)
    finding = said()["storage sweep"]
    assert not finding.ok
    assert fix in finding.fix


def test_a_sweep_that_found_only_orphans_is_well():
    swept(orphaned=3)
    assert said()["storage sweep"].ok
