"""The platform's countersignature under an approval."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.approval import (
    ApprovalError,
    check_subject,
    make_statement,
    sign_approval,
    verify_approval,
)
from plugins.jsonvalues import canonical_json

KEY = Ed25519PrivateKey.generate()
STATEMENT = make_statement(
    plugin="echo",
    version="1.0.0",
    artifact_digest="a" * 64,
    manifest_digest="b" * 64,
    lock_digest="",
    permissions={"egress": [], "native": False},
    approvers=[7, 3],
)


def test_a_signed_statement_is_trusted_in_any_order_of_its_keys():
    shuffled = dict(reversed(STATEMENT.items()))

    verify_approval(shuffled, sign_approval(STATEMENT, KEY), KEY.public_key())
    assert STATEMENT["approvers"] == [3, 7]


@pytest.mark.parametrize("name", STATEMENT)
def test_no_part_of_it_can_be_changed(name):
    altered = {**STATEMENT, name: "other"}

    with pytest.raises(ApprovalError):
        verify_approval(altered, sign_approval(STATEMENT, KEY), KEY.public_key())


@pytest.mark.parametrize(
    "signature",
    ["", "!", "AAAA", sign_approval({"a": 1}, KEY)],
    ids=["empty", "no base64", "too short", "of another statement"],
)
def test_a_signature_of_something_else_is_refused(signature):
    with pytest.raises(ApprovalError):
        verify_approval(STATEMENT, signature, KEY.public_key())


def test_a_stranger_cannot_sign_and_nothing_is_no_approval():
    stranger = Ed25519PrivateKey.generate()

    with pytest.raises(ApprovalError):
        verify_approval(STATEMENT, sign_approval(STATEMENT, stranger), KEY.public_key())
    with pytest.raises(ApprovalError):
        verify_approval(None, "", KEY.public_key())
    with pytest.raises(ApprovalError):
        verify_approval(STATEMENT, sign_approval(STATEMENT, KEY))


@pytest.mark.parametrize(
    ("statement", "purpose"),
    [
        (STATEMENT, b"hotswap approval 2\n"),
        (
            {k: v for k, v in STATEMENT.items() if k not in ("signature_digest", "publisher_key")},
            b"hotswap approval 1\n",
        ),
    ],
    ids=["with a publisher's signature", "from before those"],
)
def test_a_statement_is_signed_for_one_purpose(statement, purpose):
    """Approvals that were given once must count for as long as there are versions."""
    signature = base64.b64encode(KEY.sign(purpose + canonical_json(statement))).decode()

    verify_approval(statement, signature, KEY.public_key())


def test_what_the_first_form_does_not_say_is_taken_for_nothing():
    first = {k: v for k, v in STATEMENT.items() if k not in ("signature_digest", "publisher_key")}

    check_subject(first, plugin="echo", signature_digest="", publisher_key="")
    with pytest.raises(ApprovalError, match="signature digest"):
        check_subject(first, signature_digest="a" * 64)
    with pytest.raises(ApprovalError, match="permissions"):
        check_subject({}, permissions={})


def test_either_key_of_a_rotation_is_accepted():
    old = Ed25519PrivateKey.generate().public_key()

    verify_approval(STATEMENT, sign_approval(STATEMENT, KEY), old, KEY.public_key())
