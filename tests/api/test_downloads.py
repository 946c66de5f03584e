"""An artifact comes back whole or in part, and says its sha256."""

import hashlib
from base64 import b64encode

import pytest

from plugins.storage import ArtifactTamperedError
from tests.artifacts import plugin_zip

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/plugins/echo/versions/1.0.0/download"
CONTENT = plugin_zip()
SIZE = len(CONTENT)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


@pytest.fixture
def download(echo, upload, as_user, bob):
    assert upload(CONTENT).status_code == 201

    def ask(method="get", **headers):
        return getattr(as_user(bob), method)(ADDRESS, headers=headers)

    return ask


def body_of(answer):
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def test_a_download_is_what_was_uploaded_with_its_digest(download):
    answer = download()

    digest = b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert body_of(answer) == CONTENT
    assert answer["Digest"] == f"sha-256={digest}"
    assert answer["Repr-Digest"] == f"sha-256=:{digest}:"
    assert (answer["ETag"], answer["Accept-Ranges"]) == (ETAG, "bytes")
    assert (answer["Content-Length"], answer["Content-Type"]) == (str(SIZE), "application/zip")
    assert "echo-1.0.0.zip" in answer["Content-Disposition"]


PARTS = {
    "bytes=0-0": (0, 0),
    "bytes=0-9": (0, 9),
    "bytes=10-": (10, SIZE - 1),
    "bytes=-7": (SIZE - 7, SIZE - 1),
    f"bytes=-{SIZE * 9}": (0, SIZE - 1),
    f"bytes=5-{SIZE * 9}": (5, SIZE - 1),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE - 1),
    "Bytes = 3 - 4 ": (3, 4),
}


@pytest.mark.parametrize("wanted", PARTS)
def test_a_part_is_given_to_who_asks_for_one(download, wanted):
    first, last = PARTS[wanted]

    answer = download(Range=wanted)

    assert answer.status_code == 206
    assert body_of(answer) == CONTENT[first : last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer["ETag"] == ETAG


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,5-6", "bytes=9-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "bytes=٣-٤"],
)
def test_what_is_no_single_range_gets_the_whole(download, wanted):
    answer = download(Range=wanted.encode().decode("latin-1"))

    assert (answer.status_code, body_of(answer)) == (200, CONTENT)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={'9' * 18}-", "bytes=-0"])
def test_a_range_beyond_the_end_is_told_the_size(download, wanted):
    answer = download(Range=wanted)

    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


def test_the_rest_is_given_to_who_has_the_beginning(download):
    answer = download(**{"Range": "bytes=10-", "If-Range": ETAG})

    assert (answer.status_code, body_of(answer)) == (206, CONTENT[10:])


@pytest.mark.parametrize("other", ['"another"', f"W/{ETAG}", "Sat, 22 Nov 2025 00:00:00 GMT"])
def test_the_rest_of_another_file_is_the_whole_of_this_one(download, other):
    answer = download(**{"Range": "bytes=10-", "If-Range": other})

    assert (answer.status_code, body_of(answer)) == (200, CONTENT)


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', "*"])
def test_who_has_it_is_told_so(download, known):
    answer = download(**{"If-None-Match": known})

    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", ETAG)


def test_who_has_another_gets_this_one(download):
    assert body_of(download(**{"If-None-Match": '"other"'})) == CONTENT


def test_head_says_everything_and_sends_nothing(download):
    answer = download("head")

    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Content-Length"], answer["ETag"]) == (str(SIZE), ETAG)
    assert answer["Digest"] and answer["Accept-Ranges"] == "bytes"


def test_a_download_of_altered_bytes_breaks_off_before_its_end(download, artifacts):
    stored = artifacts / "artifacts" / "sha256" / ETAG.strip('"')
    stored.chmod(0o600)
    stored.write_bytes(CONTENT[:-1] + b"x")
    answer, received = download(), []

    with pytest.raises(ArtifactTamperedError, match="another sha256"):
        received.extend(answer.streaming_content)
    answer.close()
    assert received == []


def test_a_redirect_says_the_digest_and_head_is_answered_here(download, monkeypatch):
    monkeypatch.setattr("plugins.storage.ArtifactStore.url", lambda *_: "https://s3.example/signed")

    answer = download()

    assert (answer.status_code, answer["Location"]) == (302, "https://s3.example/signed")
    assert answer["Digest"].startswith("sha-256=")
    assert download("head").status_code == 200


@pytest.mark.parametrize("person", ["victor", "carol", "mallory"])
def test_only_developers_and_admins_download(download, request, as_user, globex, ada, person):
    caller = request.getfixturevalue(person)

    assert as_user(caller).get(ADDRESS).status_code == 403
    assert as_user(ada).head(ADDRESS).status_code == 200
