"""Signatures of others (P10), requirements that are more than names (P16), and secrets left in
files (P18), each sent with an upload.
"""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from plugins.models import Plugin
from tests.artifacts import Member, good_members, manifest_text, plugin_zip, raw_zip, wheel_bytes
from tests.attack.registry.hostile import Attack, table
from tests.factories import make_user
from tests.publishers import Publisher

pytestmark = pytest.mark.django_db
GOOD = plugin_zip()


@pytest.fixture
def publisher(bob):
    return Publisher(bob)


@pytest.fixture
def refused_with(echo, upload, nothing_changes):
    """``refused_with(signature, code, words)``: an upload of the good artifact with it."""

    def send(signature, code, *words, artifact=GOOD):
        beside = {} if signature is None else {"signature": signature}
        with nothing_changes():
            answer = upload(artifact, **beside)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, code), error
        assert [word for word in words if word not in error["message"]] == [], error

    return send


def edited(text, **changes):
    """The envelope with members of its one signature, or of itself, exchanged."""
    envelope = json.loads(text)
    for name, value in changes.items():
        place = envelope["signatures"][0] if name in ("keyid", "sig") else envelope
        place[name] = value
    return json.dumps(envelope)


OTHERS = {
    "another version": {"version": "1.0.1"},
    "another plugin": {"plugin": "ekho"},
    "another artifact": {"artifact_sha256": "0" * 64},
    "another manifest": {"manifest_sha256": "0" * 64},
    "more permissions": {"permissions": {"native": True, "egress": []}},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_a_signature_is_refused_that_was_made_for(refused_with, publisher, changes):
    """P10"""
    refused_with(publisher.sign(GOOD, **changes), "signature_invalid", "signature")


SPOILED = {
    "expired": (lambda p: p.expire(), "publisher_key_expired"),
    "not valid yet": (
        lambda p: p.set(not_before=p.key.not_after - timedelta(1)),
        "publisher_key_expired",
    ),
    "revoked": (lambda p: p.set(revoked_at=timezone.now()), "publisher_key_revoked"),
    "forgotten": (lambda p: p.key.delete(), "publisher_key_unknown"),
}


@pytest.mark.parametrize(("spoil", "code"), SPOILED.values(), ids=SPOILED)
def test_a_signature_is_refused_whose_key_is(refused_with, publisher, spoil, code):
    """P10"""
    signature, key = publisher.sign(GOOD), publisher.key.key_id[:12]
    spoil(publisher)

    refused_with(signature, code, key)


def test_a_signature_is_refused_that_another_key_made_in_its_name(refused_with, publisher, bob):
    """P10"""
    other = Publisher(bob, "desktop")
    forged = edited(other.sign(GOOD), keyid=publisher.key.key_id)

    refused_with(forged, "signature_invalid", "signature")


def test_a_signature_is_refused_of_a_developer_without_a_part_in_the_plugin(refused_with):
    """P10"""
    dora = Publisher(make_user("dora", role="Developer"))

    refused_with(dora.sign(GOOD), "publisher_not_allowed", "dora")


def test_a_signature_does_not_hold_for_the_same_contents_under_other_names(refused_with, publisher):
    """P10: a digest over contents alone would be the same for both."""
    first = raw_zip(*good_members(), Member(b"a.py", b"A = 1"), Member(b"b.py", b"B = 2"))
    swapped = raw_zip(*good_members(), Member(b"a.py", b"B = 2"), Member(b"b.py", b"A = 1"))

    refused_with(publisher.sign(first), "signature_invalid", "signature", artifact=swapped)


@pytest.mark.parametrize("signature", [None, ""])
def test_no_signature_is_refused_where_one_is_required(echo, refused_with, signature):
    """P10"""
    Plugin.objects.update(requires_signature=True)

    refused_with(signature, "signature_required", "echo", "signplugin")


NO_ENVELOPES = {
    "no JSON": "signature",
    "a list": "[]",
    "an object of nothing": "{}",
    "no signatures": '{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", '
    '"signatures": []}',
    "deep JSON": "[" * 50_000,
    "a number of a million digits": "1" * 50_000,
    "half a surrogate pair": '{"payload": "\\ud800"}',
    "a NUL": '{"payload": "\\u0000"}',
}


@pytest.mark.parametrize("text", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_a_signature_is_refused_that_is(echo, upload, nothing_changes, text):
    """P10"""
    with nothing_changes():
        answer = upload(GOOD, signature=text)

    assert answer.status_code in (400, 413), answer.content
    assert answer.json()["error"]["code"] in ("signature_invalid", "invalid", "too_large")


CHANGED = {"sig": "AAAA", "payload": "e30=", "payloadType": "text/plain", "keyid": "0" * 64}


@pytest.mark.parametrize("name", CHANGED)
def test_a_signature_is_refused_that_was_edited_in_its(
    echo, upload, nothing_changes, publisher, name
):
    """P10"""
    signature = edited(publisher.sign(GOOD), **{name: CHANGED[name]})
    with nothing_changes():
        answer = upload(GOOD, signature=signature)

    code = "publisher_key_unknown" if name == "keyid" else "signature_invalid"
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def needing(requirement, *says, kind="python"):
    return Attack(
        plugin_zip(dependencies={kind: [requirement]}),
        "invalid_manifest",
        (f"dependencies.{kind}.0", *says),
    )


NAMES_ONLY = "write a name and a constraint"
REQUIREMENTS = {
    "an address": needing("evil @ https://evil.example/evil-1.0.tar.gz", NAMES_ONLY),
    "an address of a file": needing("evil @ file:///tmp/evil", NAMES_ONLY),
    "a repository": needing("git+https://evil.example/evil.git", NAMES_ONLY),
    "a path": needing("./evil", NAMES_ONLY),
    "a path above": needing("../evil", NAMES_ONLY),
    "an option of an installer": needing("--index-url=https://evil.example", NAMES_ONLY),
    "a file of requirements": needing("-r /etc/passwd", NAMES_ONLY),
    "an editable checkout": needing("-e .", NAMES_ONLY),
    "an option after its name": needing("babel --no-binary=:all:", NAMES_ONLY),
    "a digest": needing("babel==2 --hash=sha256:00", NAMES_ONLY),
    "an extra": needing("babel[evil]", NAMES_ONLY),
    "a marker": needing("babel; python_version > '3'", NAMES_ONLY),
    "two lines": needing("babel\nevil", NAMES_ONLY),
    "a constraint that is none": needing("babel >= two", NAMES_ONLY),
    "three hundred characters": needing("b" * 300, NAMES_ONLY),
    "an address of a plugin": needing("tax @ https://evil.example/tax", NAMES_ONLY, kind="plugins"),
    "itself as a plugin": Attack(
        plugin_zip(dependencies={"plugins": ["echo>=1"]}),
        "invalid_manifest",
        ("dependencies.plugins", "names the plugin itself"),
    ),
    "the same twice": Attack(
        plugin_zip(dependencies={"python": ["foo-bar>=1", "Foo_Bar<3"]}),
        "invalid_manifest",
        ("dependencies.python.1", "a second time"),
    ),
    "a plugin that nobody registered": Attack(
        plugin_zip(dependencies={"plugins": ["ghost>=1"]}),
        "manifest_unfit",
        ("dependencies.plugins", "ghost is not registered"),
    ),
}


@pytest.mark.parametrize(**table(REQUIREMENTS))
def test_an_artifact_is_refused_that_needs(refused, attack):
    """P16: names and constraints alone, for anything else could run somebody's code."""
    refused(attack)


def test_packages_are_refused_where_there_is_no_index(refused, settings):
    """P16"""
    settings.INDEX_URL = ""
    artifact = plugin_zip(dependencies={"python": ["babel>=2"]})

    refused(Attack(artifact, "manifest_unfit", ("dependencies.python", "HOTSWAP_INDEX_URL")))


def test_what_a_wheel_asks_an_installer_for_is_not_fetched(echo, upload):
    """P16: the manifest says what is needed; METADATA is the author's own note."""
    metadata = (
        "Metadata-Version: 2.1\nName: echo\nVersion: 1.0.0\n"
        "Requires-Dist: evil @ file:///tmp/evil\n"
    )
    extra = {"echo-1.0.0.dist-info/METADATA": metadata}

    answer = upload(wheel_bytes(extra=extra))

    assert answer.status_code == 201, answer.json()
    assert answer.json()["manifest"]["dependencies"]["python"] == []


TOKEN = "ghp_" + "k3Jd8sLq0ZxV5nBt7RwYp2MfHc9GaUe1TiX6"
PASSWORD = "db_password = 'x7Kq-92mLpVz'"
PEM = "-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEIHk3Jd8sLq0ZxV5nBt7R\n" * 2
SECRETS = {
    "a token in a module": ("lib/client.py", f"TOKEN = '{TOKEN}'\n"),
    "a private key": ("keys/deploy.txt", PEM + "-----END PRIVATE KEY-----\n"),
    "a password in settings": ("settings.ini", f"# settings\n{PASSWORD}\n"),
    "a token in a file of a wheel's metadata": ("echo-1.0.0.dist-info/notes.txt", TOKEN),
}


@pytest.mark.parametrize(("path", "text"), SECRETS.values(), ids=SECRETS)
def test_a_warning_names_the_file_that_has(echo, upload, path, text):
    """P18: a person decides, and the secret itself is repeated nowhere."""
    data = wheel_bytes(extra={path: text}) if ".dist-info" in path else plugin_zip({path: text})

    answer = upload(data)

    body = answer.json()
    assert answer.status_code == 201, body
    (warning,) = body["warnings"]
    assert (warning["code"], warning["path"].split(":")[0]) == ("secret_found", path)
    assert TOKEN not in answer.content.decode()
    assert "x7Kq" not in answer.content.decode()


def test_a_manifest_may_hold_no_secret_of_a_tenant(refused):
    """P18: test values are for declared names alone."""
    methods = {"echo": {"examples": [{"secrets": {"token": TOKEN}}]}}
    artifact = plugin_zip(methods=methods)

    refused(Attack(artifact, "invalid_manifest", ("examples.0.secrets.token", "not declared")))
    assert TOKEN not in manifest_text()
