"""Envelopes and statements of publishers: what a signature is good for, and for nothing else."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.trust import dsse
from plugins.trust.dsse import SignatureInvalidError, envelope_digest, parse_envelope
from plugins.trust.keyfiles import (
    KeyUnsuitableError,
    key_id,
    load_private_key,
    public_pem,
    read_public_key,
    write_private_key,
)
from plugins.trust.statements import SignedVersion, make_statement, sign_version, verify_version

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
SIGNED = SignedVersion(
    plugin="echo",
    version="1.0.0",
    artifact_sha256="a" * 64,
    manifest_sha256="b" * 64,
    permissions={"egress": [], "native": False},
)
ENVELOPE = sign_version(SIGNED, KEY)


def test_what_is_signed_is_what_the_specification_says():
    """The test vector of the protocol's own page."""
    body = dsse._signed_bytes("http://example.com/HelloWorld", b"hello world")

    assert body == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_count_bytes():
    assert dsse._signed_bytes("é", b"") == "DSSEv1 2 é 0 ".encode()


def test_a_signature_says_names_and_digests():
    statement = json.loads(ENVELOPE.payload)

    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [
        {"name": "echo/1.0.0/artifact", "digest": {"sha256": "a" * 64}},
        {"name": "echo/1.0.0/hotswap.toml", "digest": {"sha256": "b" * 64}},
    ]
    assert statement["predicate"]["permissions"] == {"egress": [], "native": False}


def test_it_survives_its_journey_as_text_in_either_alphabet():
    text = json.dumps(ENVELOPE.as_dict())
    safe = altered(payload=ENVELOPE.as_dict()["payload"].replace("+", "-").replace("/", "_"))

    for sent in (text, safe):
        verify_version(parse_envelope(sent), PUBLIC, SIGNED)
    assert parse_envelope(safe).as_dict() == ENVELOPE.as_dict()


OTHERS = {
    "another plugin": {"plugin": "other"},
    "another version": {"version": "1.0.1"},
    "another artifact": {"artifact_sha256": "c" * 64},
    "another manifest": {"manifest_sha256": "c" * 64},
    "the two contents changed places": {
        "artifact_sha256": "b" * 64,
        "manifest_sha256": "a" * 64,
    },
    "more permissions": {"permissions": {"egress": [], "native": True}},
    "a number for a boolean": {"permissions": {"egress": [], "native": 0}},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_a_signature_is_for_one_version_alone(changes):
    with pytest.raises(SignatureInvalidError):
        verify_version(ENVELOPE, PUBLIC, replace(SIGNED, **changes))


def test_another_key_did_not_sign_it():
    with pytest.raises(SignatureInvalidError, match="not made by key"):
        verify_version(ENVELOPE, Ed25519PrivateKey.generate().public_key(), SIGNED)


def signed(statement):
    """An envelope of the right key over any text."""
    payload = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    return dsse.sign_payload(payload, KEY)


GOOD = make_statement(SIGNED)
TWICE = json.dumps(GOOD).replace('"predicate": {', '"predicate": {}, "predicate": {').encode()
MALFORMED = {
    "no JSON": b"hello",
    "a list": [],
    "no subject": GOOD | {"subject": []},
    "subjects that are none": GOOD | {"subject": "echo/1.0.0/artifact"},
    "a subject twice": GOOD | {"subject": [*GOOD["subject"], GOOD["subject"][0]]},
    "a subject more": GOOD | {"subject": [*GOOD["subject"], {"name": "x", "digest": {}}]},
    "the names changed places": GOOD
    | {
        "subject": [
            {"name": a["name"], "digest": b["digest"]}
            for a, b in zip(GOOD["subject"], reversed(GOOD["subject"]), strict=True)
        ]
    },
    "no predicate": GOOD | {"predicate": None},
    "a statement of another kind": GOOD | {"predicateType": "https://slsa.dev/provenance/v1"},
    "no statement at all": GOOD | {"_type": "https://in-toto.io/Statement/v0.1"},
    "a name twice": TWICE,
    "a number that is none": json.dumps(GOOD | {"predicate": float("nan")}).encode(),
    "very deep": b"[" * 20_000,
}


@pytest.mark.parametrize("statement", MALFORMED.values(), ids=MALFORMED)
def test_signed_nonsense_is_refused(statement):
    with pytest.raises(SignatureInvalidError):
        verify_version(signed(statement), PUBLIC, SIGNED)


def test_members_that_are_new_to_us_say_nothing():
    statement = GOOD | {"predicate": GOOD["predicate"] | {"builder": "a laptop"}, "extra": 1}

    verify_version(signed(statement), PUBLIC, SIGNED)


def altered(**changes):
    return json.dumps(ENVELOPE.as_dict() | changes)


def with_signature(**changes):
    (first,) = ENVELOPE.as_dict()["signatures"]
    return altered(signatures=[first | changes])


SHORT = base64.b64encode(b"x" * 63).decode()
REFUSED = {
    "no JSON": "hello",
    "no object": "[]",
    "no signature": altered(signatures=[]),
    "two signatures": altered(signatures=ENVELOPE.as_dict()["signatures"] * 2),
    "a signature that is none": altered(signatures=["x"]),
    "a short signature": with_signature(sig=SHORT),
    "no base64": with_signature(sig="%%%"),
    "a number for a payload": altered(payload=3),
    "no key": with_signature(keyid=""),
    "a key of the wrong form": with_signature(keyid="Z" * 64),
    "too long": altered(payload="A" * 40_000),
    "a name twice": '{"payload": "", "payload": ""}',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_envelope_is_refused(text):
    with pytest.raises(SignatureInvalidError):
        parse_envelope(text)


def test_the_kind_of_payload_is_signed_too():
    other = parse_envelope(altered(payloadType="text/plain"))

    with pytest.raises(SignatureInvalidError, match="payloadType"):
        verify_version(other, PUBLIC, SIGNED)


def test_an_envelope_has_one_digest_and_none_has_none():
    shuffled = dict(reversed(ENVELOPE.as_dict().items()))

    assert envelope_digest(shuffled) == envelope_digest(ENVELOPE.as_dict())
    assert envelope_digest(None) == ""


def test_a_key_is_named_by_its_public_half():
    assert key_id(PUBLIC) == key_id(read_public_key(public_pem(PUBLIC)))
    assert len(key_id(PUBLIC)) == 64


def other_kind():
    return generate_private_key(SECP256R1()).public_key()


@pytest.mark.parametrize("make", [lambda: "", lambda: "x" * 2000, lambda: public_pem(other_kind())])
def test_only_an_ed25519_public_key_is_registered(make):
    with pytest.raises(KeyUnsuitableError):
        read_public_key(make())


def test_a_private_key_that_was_sent_is_named_as_one(tmp_path):
    path = tmp_path / "key.pem"
    write_private_key(KEY, path)

    with pytest.raises(KeyUnsuitableError, match="must be replaced"):
        read_public_key(path.read_text())


@pytest.mark.parametrize("password", [None, b"correct horse"])
def test_a_private_key_is_kept_for_its_owner_alone(tmp_path, password):
    path = tmp_path / "key.pem"
    write_private_key(KEY, path, password)

    assert path.stat().st_mode & 0o777 == 0o600
    assert key_id(load_private_key(path, password).public_key()) == key_id(PUBLIC)
    with pytest.raises(KeyUnsuitableError, match="File exists"):
        write_private_key(KEY, path)


def test_what_is_no_private_key_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    with pytest.raises(KeyUnsuitableError, match="cannot be read"):
        load_private_key(path)
    path.write_text("hello")
    with pytest.raises(KeyUnsuitableError, match="makepublisherkey"):
        load_private_key(path)
    other = generate_private_key(SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    path.write_bytes(other.private_bytes(*form, serialization.NoEncryption()))
    with pytest.raises(KeyUnsuitableError, match="another kind"):
        load_private_key(path)
