"""What an instance refuses by itself, whatever its rows say."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deployments.instance.alarms import INTEGRITY_CODES, Alarms
from deployments.instance.facts import VersionFact
from deployments.instance.vetting import vet_version
from hotswap.lib.errors import HotSwapError
from plugins.approval import make_statement, sign_approval
from plugins.manifest import load_manifest
from plugins.trust.keyfiles import key_id, public_pem
from plugins.trust.statements import SignedVersion, sign_version
from tests.artifacts import manifest_data

PLATFORM, PUBLISHER, OTHER = (Ed25519PrivateKey.generate() for _ in range(3))
KEYS = [PLATFORM.public_key()]


def fact(version="1.0.0", *, publisher=PUBLISHER, status="approved"):
    """An approved version, signed by its publisher unless that is None."""
    manifest = load_manifest(manifest_data(version=version))
    digest, plain = version.replace(".", "a").ljust(64, "0"), manifest.as_dict()
    signed = SignedVersion("echo", version, digest, manifest.digest(), plain["permissions"])
    envelope = sign_version(signed, publisher).as_dict() if publisher else None
    approval = make_statement(
        plugin="echo",
        version=version,
        artifact_digest=digest,
        manifest_digest=manifest.digest(),
        lock_digest="",
        permissions=plain["permissions"],
        approvers=[3],
        signature=envelope,
    )
    return VersionFact(
        id=version,
        plugin_id="p",
        plugin="echo",
        version=version,
        status=status,
        artifact_digest=digest,
        manifest=plain,
        manifest_digest=manifest.digest(),
        lock_digest="",
        approval=approval,
        approval_signature=sign_approval(approval, PLATFORM),
        signature=envelope,
        publisher_key_id=key_id(publisher.public_key()) if publisher else "",
        publisher_key=public_pem(publisher.public_key()) if publisher else "",
    )


GOOD, UNSIGNED, NEWER = fact(), fact(publisher=None), fact("1.1.0")
FIRST_FORM = {
    name: value
    for name, value in (UNSIGNED.approval or {}).items()
    if name not in ("signature_digest", "publisher_key")
}


def refusal(version, *, approved_only=True, keys=KEYS):
    with pytest.raises(HotSwapError) as caught:
        vet_version(version, keys, approved_only=approved_only)
    return caught.value


@pytest.mark.parametrize("good", [GOOD, UNSIGNED, NEWER], ids=["signed", "unsigned", "newer"])
@pytest.mark.parametrize("status", ["approved", "deprecated", "yanked"])
def test_what_was_approved_may_run(good, status):
    manifest = vet_version(replace(good, status=status), KEYS, approved_only=True)

    assert manifest.version == good.version


def test_an_approval_from_before_signatures_still_counts_without_one():
    old = replace(
        UNSIGNED, approval=FIRST_FORM, approval_signature=sign_approval(FIRST_FORM, PLATFORM)
    )

    vet_version(old, KEYS, approved_only=True)
    signed_later = replace(
        old,
        signature=GOOD.signature,
        publisher_key_id=GOOD.publisher_key_id,
        publisher_key=GOOD.publisher_key,
    )
    assert refusal(signed_later).code == "approval_invalid"


def swapped_permissions():
    return {**GOOD.manifest, "permissions": {"native": True, "egress": []}}


ALTERED = {
    "the manifest": ({"manifest": swapped_permissions()}, "manifest_tampered"),
    "what is no manifest": ({"manifest": {"name": 3}}, "manifest_tampered"),
    "the manifest's digest": ({"manifest_digest": "0" * 64}, "manifest_tampered"),
    "the artifact's digest": ({"artifact_digest": "0" * 64}, "approval_invalid"),
    "the lock's digest": ({"lock_digest": "0" * 64}, "approval_invalid"),
    "the version": ({"version": "1.0.1"}, "approval_invalid"),
    "the plugin": ({"plugin": "other"}, "approval_invalid"),
    "no approval": ({"approval": None}, "approval_invalid"),
    "an approval's approvers": (
        {"approval": {**(GOOD.approval or {}), "approvers": [1, 3]}},
        "approval_invalid",
    ),
    "the approval's signature": ({"approval_signature": "AAAA"}, "approval_invalid"),
    "the approval of another version": (
        {"approval": NEWER.approval, "approval_signature": NEWER.approval_signature},
        "approval_invalid",
    ),
    "the signature stripped": ({"signature": None}, "approval_invalid"),
    "the signature stripped with its key": (
        {"signature": None, "publisher_key_id": "", "publisher_key": ""},
        "approval_invalid",
    ),
    "the signature of another version": ({"signature": NEWER.signature}, "approval_invalid"),
    "another signature by another key": (
        {
            "signature": fact(publisher=OTHER).signature,
            "publisher_key_id": key_id(OTHER.public_key()),
            "publisher_key": public_pem(OTHER.public_key()),
        },
        "approval_invalid",
    ),
    "the text of the key": (
        {"publisher_key": public_pem(OTHER.public_key())},
        "signature_invalid",
    ),
    "the name of the key": ({"publisher_key_id": "0" * 64}, "approval_invalid"),
    "a key that is none": ({"publisher_key": "hello"}, "signature_invalid"),
    "a revoked key": ({"is_publisher_key_revoked": True}, "publisher_key_revoked"),
}


@pytest.mark.parametrize(("changes", "code"), ALTERED.values(), ids=ALTERED)
def test_a_row_that_was_altered_is_refused_and_alarms(changes, code):
    altered = replace(GOOD, **changes)
    error, alarms = refusal(altered), Alarms()
    alarms.notice(altered, error)
    alarms.notice(altered, error)

    assert error.code == code
    ((_, row),) = alarms.rows.items()
    assert (row.code, row.times, row.detail) == (code, 2, error.message)


@pytest.mark.parametrize("status", ["draft", "rejected", "revoked"])
def test_what_may_not_run_is_refused_without_an_alarm(status):
    error, alarms = refusal(replace(GOOD, status=status)), Alarms()
    alarms.notice(GOOD, error)

    assert error.code not in INTEGRITY_CODES
    assert alarms.rows == {}


def test_a_draft_that_is_called_approved_is_refused():
    draft = replace(fact(status="draft"), approval=None, approval_signature="")

    vet_version(draft, KEYS, approved_only=False)
    assert refusal(replace(draft, status="approved")).code == "approval_invalid"


DRAFT = replace(GOOD, status="draft", approval=None, approval_signature="")
ALTERED_DRAFTS = {
    "stripped": {"signature": None},
    "of another version": {"signature": NEWER.signature},
    "of another artifact": {"artifact_digest": "0" * 64},
    "by a revoked key": {"is_publisher_key_revoked": True},
}


@pytest.mark.parametrize("changes", ALTERED_DRAFTS.values(), ids=ALTERED_DRAFTS)
def test_also_where_drafts_run_a_signature_must_hold(changes):
    code = refusal(replace(DRAFT, **changes), approved_only=False).code

    assert code in ("signature_invalid", "publisher_key_revoked")


def test_an_approval_of_another_platform_is_none():
    assert refusal(GOOD, keys=[OTHER.public_key()]).code == "approval_invalid"
    assert refusal(GOOD, keys=[]).code == "approval_invalid"
