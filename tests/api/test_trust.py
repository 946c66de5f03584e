"""Publishers' keys, signed uploads and approvals, bills of materials and warnings over the API."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from observability.models import AuditEvent
from plugins.api.upload_serializers import CompleteUploadSerializer
from plugins.models import Plugin, PluginVersion, PublisherKey
from plugins.trust.keyfiles import key_id, public_pem
from tests.artifacts import Member, good_members, plugin_zip, raw_zip
from tests.factories import make_api_key, make_plugin, make_user
from tests.publishers import Publisher

pytestmark = pytest.mark.django_db
KEYS, ECHO = "/api/v1/publisher-keys", "/api/v1/plugins/echo"
VERSION = f"{ECHO}/versions/1.0.0"


def fresh():
    return Ed25519PrivateKey.generate().public_key()


def register(client, public=None, **fields):
    body = {"name": "laptop", "public_key": public_pem(public or fresh())} | fields
    return client.post(KEYS, body)


def revoke(client, key, reason="stolen"):
    return client.post(f"{KEYS}/{key.key_id}/revoke", {"reason": reason})


def code_of(answer):
    return answer.json()["error"]["code"]


@pytest.fixture
def publisher(bob):
    return Publisher(bob)


class TestKeys:
    def test_a_developer_registers_a_key_and_sees_only_their_own(self, as_user, bob, ada):
        public = fresh()
        answer = register(as_user(bob), public)
        register(as_user(ada))

        body = answer.json()
        assert answer.status_code == 201, body
        assert (body["key_id"], body["publisher"]) == (key_id(public), "bob")
        assert [key["publisher"] for key in as_user(bob).get(KEYS).json()["results"]] == ["bob"]
        assert len(as_user(ada).get(KEYS).json()["results"]) == 2

    def test_a_key_is_valid_for_a_year_unless_said_otherwise(self, as_user, bob):
        register(as_user(bob))
        key = PublisherKey.objects.get()
        assert key.not_after - key.not_before == timedelta(days=365)

        now = timezone.now()
        times = {"not_before": now.isoformat(), "not_after": (now + timedelta(days=1)).isoformat()}
        assert register(as_user(bob), **times).json()["not_after"] == times["not_after"].replace(
            "+00:00", "Z"
        )

    @pytest.mark.parametrize("days", [0, -1, 5 * 365 + 2])
    def test_times_that_make_no_sense_are_refused(self, as_user, bob, days):
        now = timezone.now()
        times = {"not_before": now, "not_after": now + timedelta(days=days)}
        answer = register(as_user(bob), **{name: at.isoformat() for name, at in times.items()})

        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["not_after"])

    @pytest.mark.parametrize("pem", ["hello", "-----BEGIN PRIVATE KEY-----", "x" * 1001])
    def test_what_is_no_public_key_is_refused(self, as_user, bob, nothing_changes, pem):
        with nothing_changes():
            assert as_user(bob).post(KEYS, {"name": "x", "public_key": pem}).status_code == 400

    def test_a_key_is_registered_once_even_when_it_is_revoked(self, as_user, bob, ada):
        public = fresh()
        register(as_user(bob), public)
        revoke(as_user(bob), PublisherKey.objects.get())

        for user in (bob, ada):
            answer = register(as_user(user), public)
            assert (answer.status_code, code_of(answer)) == (409, "key_exists")

    def test_it_is_revoked_once_by_its_owner_or_an_admin(self, as_user, bob, ada, publisher):
        dora = make_user("dora", role="Developer")
        assert revoke(as_user(dora), publisher.key).status_code == 404

        answer = revoke(as_user(ada), publisher.key)
        assert (answer.status_code, answer.json()["revocation_reason"]) == (200, "stolen")
        again = revoke(as_user(bob), publisher.key)
        assert (again.status_code, code_of(again)) == (409, "key_revoked_already")

    def test_both_are_in_the_audit_log(self, as_user, bob, publisher):
        revoke(as_user(bob), publisher.key)

        events = AuditEvent.objects.filter(object_id=publisher.key.key_id).order_by("at")
        assert [event.action for event in events] == [
            "publisher_key.registered",
            "publisher_key.revoked",
        ]

    def test_no_api_key_registers_one(self, as_key, bob):
        _, secret = make_api_key(user=bob, scopes=("read", "write"))

        assert register(as_key(secret)).status_code == 403
        assert as_key(secret).get(KEYS).status_code == 200


class TestSignedUploads:
    def test_a_signed_version_names_its_key(self, echo, upload, publisher):
        artifact = plugin_zip()
        answer = upload(artifact, signature=publisher.sign(artifact))

        assert answer.status_code == 201, answer.json()
        assert answer.json()["signed_by"]["key_id"] == publisher.key.key_id
        assert answer.json()["signed_by"]["publisher"] == "bob"

    def test_an_unsigned_one_says_so(self, echo, upload):
        assert upload().json()["signed_by"] is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"version": "1.0.1"},
            {"plugin": "other"},
            {"artifact_sha256": "0" * 64},
            {"manifest_sha256": "0" * 64},
            {"permissions": {"native": True, "egress": []}},
        ],
        ids=["version", "plugin", "artifact", "manifest", "permissions"],
    )
    def test_the_signature_of_something_else_is_refused(
        self, echo, upload, publisher, nothing_changes, changes
    ):
        artifact = plugin_zip()
        with nothing_changes():
            answer = upload(artifact, signature=publisher.sign(artifact, **changes))

        assert (answer.status_code, code_of(answer)) == (400, "signature_invalid")

    def test_members_that_change_names_are_another_artifact(
        self, echo, upload, publisher, nothing_changes
    ):
        """Contents alone would be the same in both: names are signed with them."""
        first, second = Member(b"a.py", b"A = 1"), Member(b"b.py", b"B = 2")
        swapped = Member(b"a.py", b"B = 2"), Member(b"b.py", b"A = 1")
        signature = publisher.sign(raw_zip(*good_members(), first, second))
        with nothing_changes():
            answer = upload(raw_zip(*good_members(), *swapped), signature=signature)

        assert code_of(answer) == "signature_invalid"

    def test_a_stranger_cannot_sign_in_anothers_name(self, echo, upload, publisher):
        artifact = plugin_zip()
        stranger = json.loads(Publisher(publisher.key.publisher).sign(artifact))
        stranger["signatures"][0]["keyid"] = publisher.key.key_id

        assert code_of(upload(artifact, signature=json.dumps(stranger))) == "signature_invalid"

    def test_an_unknown_key_is_refused(self, echo, upload, publisher):
        artifact, signature = plugin_zip(), publisher.sign(plugin_zip())
        publisher.key.delete()

        assert code_of(upload(artifact, signature=signature)) == "publisher_key_unknown"

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (lambda p: p.expire(), "publisher_key_expired"),
            (lambda p: p.set(not_before=p.key.not_after - timedelta(1)), "publisher_key_expired"),
            (lambda p: p.set(revoked_at=timezone.now()), "publisher_key_revoked"),
            (lambda p: deactivate(p.key.publisher), "publisher_not_allowed"),
        ],
        ids=["expired", "not valid yet", "revoked", "of somebody who left"],
    )
    def test_a_key_must_be_good_when_it_is_used(
        self, echo, upload, ada, publisher, nothing_changes, spoil, code
    ):
        artifact = plugin_zip()
        signature = publisher.sign(artifact)
        spoil(publisher)
        with nothing_changes():
            answer = upload(artifact, by=ada, signature=signature)

        assert (answer.status_code, code_of(answer)) == (400, code)

    def test_the_key_of_another_developer_does_not_count(self, echo, upload):
        artifact = plugin_zip()
        dora = Publisher(make_user("dora", role="Developer"))

        assert code_of(upload(artifact, signature=dora.sign(artifact))) == "publisher_not_allowed"

    @pytest.mark.parametrize("text", ["hello", "{}", "[]", "null", '{"payload": "\u0661"}'])
    def test_what_is_no_envelope_is_refused(self, echo, upload, nothing_changes, text):
        with nothing_changes():
            assert code_of(upload(signature=text)) == "signature_invalid"


def deactivate(user):
    user.is_active = False
    user.save()


class TestRequiredSignatures:
    def test_unsigned_versions_are_refused_from_then_on(
        self, echo, as_user, upload, bob, publisher, nothing_changes
    ):
        answer = as_user(bob).patch(ECHO, {"requires_signature": True})
        assert answer.json()["requires_signature"] is True

        artifact = plugin_zip()
        with nothing_changes():
            assert code_of(upload(artifact)) == "signature_required"
        assert upload(artifact, signature=publisher.sign(artifact)).status_code == 201

    def test_a_draft_from_before_cannot_be_approved(self, echo, as_user, upload, bob, carol):
        upload()
        as_user(bob).patch(ECHO, {"requires_signature": True})

        answer = as_user(carol).post(f"{VERSION}/approve", {})
        assert (answer.status_code, code_of(answer)) == (400, "signature_required")

    def test_only_an_admin_does_without_them_again(self, echo, as_user, bob, ada):
        Plugin.objects.update(requires_signature=True)

        assert as_user(bob).patch(ECHO, {"requires_signature": False}).status_code == 403
        assert as_user(bob).patch(ECHO, {"summary": "x"}).status_code == 200
        assert as_user(bob).put(ECHO, {"summary": "y"}).json()["requires_signature"] is True
        answer = as_user(ada).patch(ECHO, {"requires_signature": False})
        assert answer.json()["requires_signature"] is False


class TestApprovals:
    @pytest.fixture
    def signed(self, echo, upload, publisher, as_user, carol):
        artifact = plugin_zip()
        assert upload(artifact, signature=publisher.sign(artifact)).status_code == 201
        self.client = as_user(carol)
        return PluginVersion.objects.get()

    def approve(self):
        return self.client.post(f"{VERSION}/approve", {})

    def test_it_binds_the_signature_and_its_key(self, signed, publisher):
        assert self.approve().status_code == 200

        signed.refresh_from_db()
        assert signed.approval["publisher_key"] == publisher.key.key_id
        assert len(signed.approval["signature_digest"]) == 64

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (lambda p: p.expire(), "publisher_key_expired"),
            (lambda p: p.set(revoked_at=timezone.now()), "publisher_key_revoked"),
            (lambda p: deactivate(p.key.publisher), "publisher_not_allowed"),
        ],
        ids=["expired", "revoked", "of somebody who left"],
    )
    def test_the_key_must_still_be_good(self, signed, publisher, spoil, code):
        spoil(publisher)

        assert code_of(self.approve()) == code
        assert PluginVersion.objects.get().status == "draft"

    @pytest.mark.parametrize(
        "fields",
        [{"signature": None}, {"signed_by": None}, {"artifact_digest": "0" * 64}],
        ids=["stripped", "without its key", "over another artifact"],
    )
    def test_a_row_that_was_altered_is_not_approved(self, signed, fields):
        PluginVersion.objects.update(**fields)

        assert code_of(self.approve()) in ("signature_invalid", "artifact_missing")

    def test_the_signature_of_another_version_in_the_row_is_not_approved(
        self, signed, upload, publisher
    ):
        other = plugin_zip(version="1.1.0")
        upload(other, signature=publisher.sign(other))
        newer = PluginVersion.objects.get(version="1.1.0")
        PluginVersion.objects.filter(version="1.0.0").update(signature=newer.signature)

        assert code_of(self.approve()) == "signature_invalid"

    def test_a_manifest_that_was_altered_is_not_approved_and_alarms(self, signed):
        manifest = signed.manifest | {"permissions": {"native": True, "egress": []}}
        PluginVersion.objects.update(manifest=manifest)

        answer = self.approve()
        assert (answer.status_code, code_of(answer)) == (503, "manifest_tampered")
        event = AuditEvent.objects.get(action="version.tampered")
        assert (event.object_id, event.after["code"]) == ("echo 1.0.0", "manifest_tampered")

    def test_stored_bytes_that_were_altered_are_not_approved_and_alarm(self, signed, artifacts):
        stored = artifacts / "artifacts" / "sha256" / signed.artifact_digest
        stored.chmod(0o600)
        stored.write_bytes(stored.read_bytes()[:-1] + b"?")

        answer = self.approve()
        assert (answer.status_code, code_of(answer)) == (503, "artifact_tampered")
        assert AuditEvent.objects.filter(action="version.tampered").count() == 1


class TestContents:
    def test_the_bill_of_materials_is_kept_with_the_version(self, echo, upload, as_user, victor):
        digest = upload(plugin_zip({"data.txt": "x"})).json()["digest"]

        answer = as_user(victor).get(f"{VERSION}/sbom")
        bill = answer.json()
        assert answer["Content-Type"] == "application/vnd.cyclonedx+json"
        assert bill["metadata"]["component"]["hashes"][0]["content"] == digest
        names = [part["name"] for part in bill["components"]]
        assert names == ["hotswap.toml", "echo.py", "data.txt"]

    def test_it_can_be_asked_for_by_its_type(self, echo, upload, as_user, victor):
        upload()
        client = as_user(victor)

        for accepted in ("application/vnd.cyclonedx+json", "application/json", "*/*"):
            assert client.get(f"{VERSION}/sbom", headers={"Accept": accepted}).status_code == 200

    def test_without_one_it_says_why(self, echo, upload, as_user, victor):
        upload()
        PluginVersion.objects.update(sbom=None)

        assert as_user(victor).get(f"{VERSION}/sbom").status_code == 404
        assert as_user(victor).get(f"{ECHO}/versions/9.9.9/sbom").status_code == 404

    def test_a_secret_that_was_left_in_is_warned_about_and_not_repeated(
        self, echo, upload, as_user, carol
    ):
        secret = "q8Zr3TvW1kXb7LmN2pYc9D"
        answer = upload(plugin_zip({"settings.py": f'\nAPI_TOKEN = "{secret}"\n'}))

        assert answer.status_code == 201
        seen = as_user(carol).get(VERSION)
        (warning,) = seen.json()["warnings"]
        assert (warning["code"], warning["path"]) == ("secret_found", "settings.py")
        assert "Line 2" in warning["message"]
        assert secret not in seen.content.decode() + str(AuditEvent.objects.values_list("after"))

    def test_a_clean_artifact_has_no_warning(self, echo, upload):
        assert upload().json()["warnings"] == []


def test_a_signature_may_come_with_the_end_of_a_presigned_upload():
    """The same field as for an upload in one request, as text or as an object."""
    for sent in ({"payload": ""}, '{"payload": ""}'):
        given = CompleteUploadSerializer(data={"signature": sent})
        assert given.is_valid()
        assert json.loads(given.beside().signature) == {"payload": ""}


def test_a_plugin_of_another_keeps_its_switch(as_user, ada):
    make_plugin("theirs", owner=ada)
    dora = make_user("dora", role="Developer")

    answer = as_user(dora).patch("/api/v1/plugins/theirs", {"requires_signature": True})
    assert answer.status_code == 403
