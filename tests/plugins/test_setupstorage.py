"""``manage.py setupstorage`` on a directory and on a real S3 server."""

import io
import stat

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import CommandError, call_command

from plugins.storage.findings import PROBE, State
from plugins.storage.setup import examine_storage
from plugins.storage.strangers import strangers_may
from tests.plugins.scripted_s3 import DENIED, serving
from tests.s3 import READER_KEY


@pytest.fixture
def use(monkeypatch):
    """Make a storage the one behind the alias."""
    return lambda storage: monkeypatch.setitem(storages._storages, "artifacts", storage)


def setup(*arguments):
    """What it printed, and whether it found everything well."""
    output = io.StringIO()
    try:
        call_command("setupstorage", *arguments, stdout=output, no_color=True)
    except CommandError:
        return output.getvalue(), False
    return output.getvalue(), True


def test_a_directory_is_made_and_probed(use, tmp_path):
    use(FileSystemStorage(location=tmp_path / "artifacts"))
    output, well = setup()
    assert well
    assert f"done   storage: directory {tmp_path / 'artifacts'}" in output
    assert "ok     probe" in output
    assert not (tmp_path / "artifacts" / PROBE).exists()
    assert stat.S_IMODE((tmp_path / "artifacts").stat().st_mode) == 0o700


def test_only_looking_makes_no_directory(use, tmp_path):
    use(FileSystemStorage(location=tmp_path / "artifacts"))
    output, well = setup("--check")
    assert not well
    assert "fix: run manage.py setupstorage" in output
    assert not (tmp_path / "artifacts").exists()


def test_a_directory_that_others_may_write_to_is_wrong(use, tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts").chmod(0o777)
    use(FileSystemStorage(location=tmp_path / "artifacts"))
    output, well = setup("--check")
    assert not well
    assert "fix: chmod go-w" in output


@pytest.mark.s3
class TestBucket:
    @pytest.fixture
    def bucket(self, s3_server):
        return s3_server.new_bucket()

    def test_a_missing_bucket_is_made_versioned_and_probed(self, use, s3_server):
        use(s3_server.storage("made-by-setup"))
        output, well = setup()
        assert well, output
        assert "done   storage: bucket 'made-by-setup'" in output
        assert "done   versions" in output
        for line in ("encryption: AES256", "public access: strangers", "probe: an object"):
            assert f"ok     {line}" in output
        versioning = s3_server.client().get_bucket_versioning(Bucket="made-by-setup")
        assert versioning["Status"] == "Enabled"
        assert "Contents" not in s3_server.client().list_objects_v2(Bucket="made-by-setup")

    def test_a_second_run_changes_nothing(self, use, s3_server, bucket):
        use(s3_server.storage(bucket))
        assert setup()[1]
        output, well = setup()
        assert well
        assert "done" not in output

    def test_only_looking_neither_makes_nor_sets_nor_writes(self, use, s3_server, bucket):
        use(s3_server.storage(bucket))
        output, well = setup("--check")
        assert not well
        assert "wrong  versions" in output
        assert not s3_server.client().get_bucket_versioning(Bucket=bucket).get("Status")
        use(s3_server.storage("not-made"))
        assert "does not exist" in setup("--check")[0]
        names = [each["Name"] for each in s3_server.client().list_buckets()["Buckets"]]
        assert "not-made" not in names

    def test_a_bucket_that_may_only_be_read_is_wrong_at_every_write(self, use, s3_server, bucket):
        s3_server.let_read(bucket)
        use(s3_server.storage(bucket, access_key=READER_KEY))
        output, well = setup()
        assert not well
        assert "wrong  versions" in output
        assert "wrong  probe" in output

    def test_encryption_that_the_server_cannot_do_is_wrong(self, use, s3_server, bucket):
        use(s3_server.storage(bucket, encryption="aws:kms"))
        output, well = setup()
        assert not well
        assert "HOTSWAP_S3_ENCRYPTION" in output

    def test_encryption_that_was_not_asked_for_is_noted(self, use, s3_server, bucket):
        use(s3_server.storage(bucket, encryption="none"))
        output, well = setup()
        assert well
        assert "note   encryption: not asked for" in output

    def test_wrong_credentials_end_it_with_the_way_out(self, use, s3_server, bucket):
        use(s3_server.storage(bucket, secret_key="wrong"))
        output, well = setup()
        assert not well
        assert "fix: Check HOTSWAP_S3_ACCESS_KEY_ID and HOTSWAP_S3_SECRET_ACCESS_KEY" in output
        assert "probe" not in output


LISTING = (200, b"<ListBucketResult><Name>artifacts</Name></ListBucketResult>")
PUBLIC_POLICY = (200, b"<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>")
PUBLIC_LIST = b"""<AccessControlPolicy><AccessControlList><Grant>
<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">
<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission>
</Grant></AccessControlList></AccessControlPolicy>"""


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (((200, PUBLIC_LIST),), "anybody may read it, says its access list"),
        ((DENIED, PUBLIC_POLICY), "anybody may use it, says its policy"),
        ((DENIED, DENIED, LISTING), "anybody may list it"),
        ((DENIED, DENIED, DENIED, (200, b"")), "anybody may read what is in it"),
    ],
)
def test_a_bucket_that_strangers_get_at_is_wrong(answers, told):
    with serving(*answers) as (_, store):
        finding = strangers_may(store.backend, PROBE)
    assert finding.state is State.WRONG
    assert finding.detail == told


def test_a_bucket_that_refuses_strangers_is_well():
    with serving(DENIED) as (server, store):
        assert strangers_may(store.backend, PROBE).state is State.OK
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("region", "told"), [("us-east-1", False), ("eu-central-1", True), ("", False)]
)
def test_a_bucket_is_made_in_the_region_that_was_set(region, told):
    with serving((404, b""), (200, b""), DENIED, region=region or None) as (server, store):
        list(examine_storage(store.backend, change=True))
        body = server.bodies[1].decode()
    assert ("LocationConstraint" in body) is told
    assert (region in body) or not told
