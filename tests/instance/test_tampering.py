"""What was altered after its approval does not run, somebody hears of it, and calls go on."""

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from deployments.alarms import record_new_alarms
from deployments.models import IntegrityAlarm, Placement
from observability.models import AuditEvent
from plugins.incoming import Beside
from plugins.models import PluginVersion
from plugins.services import approve_version, revoke_version, upload_version
from plugins.trust.publisher_keys import revoke_publisher_key
from tests.artifacts import plugin_zip
from tests.factories import make_deployment
from tests.instance.places import CONFIG, METHODS, RESOURCES, SOURCE, call
from tests.publishers import Publisher
from tests.servers import LAYERS, WORKER
from tests.waiting import wait_until

FOREVER = "2100-01-01T00:00:00Z"


class Served:
    """An incumbent that serves, and candidates that are spoilt before they are loaded."""

    def __init__(self, place):
        self.place = place
        self.incumbent, (self.instance,) = place.serve("1.0.0")
        self.publisher = Publisher(place.bob)

    def publish(self, version, *, is_signed=False):
        """Approved; its bytes are no other test's, so that nothing else meets what is altered."""
        source = f"{SOURCE}\n# only for {self.place.plugin.pk}\n"
        options = {"methods": METHODS, "config": CONFIG, "resources": RESOURCES}
        artifact = plugin_zip({"echo.py": source}, version=version, **options)
        row = upload_version(
            plugin=self.place.plugin,
            file=ContentFile(artifact, name="echo.zip"),
            by=self.place.bob,
            beside=Beside(signature=self.publisher.sign(artifact) if is_signed else None),
        )
        return approve_version(version=row, by=self.place.carol)

    def load(self, version, state):
        """Have the instance load it beside the incumbent, until it is in that state."""
        self.place.route(warm=version, warm_until=FOREVER)
        return self.place.wait_placed(version, state=state)

    def unload(self):
        self.place.route(warm=None, warm_until=None)
        others = Placement.objects.exclude(version=self.incumbent)
        wait_until(lambda: not others.exists(), what="only the incumbent is loaded")

    def alter(self, version, **fields):
        """Past every service, as whoever can write to the database would."""
        PluginVersion.objects.filter(pk=version.pk).update(**fields)

    def assert_refused(self, version, code):
        placement = self.load(version, "failed")
        alarm = IntegrityAlarm.objects.get(version=version)
        assert (alarm.code, alarm.instance.name) == (code, "i-1"), placement.detail
        labels = f'plugin="echo",version="{version.version}",code="{code}"'
        assert f"hotswap_integrity_failures_total{{{labels}}}" in self.metrics()
        said = [line for line in self.log() if line.get("event") == "integrity_alarm"]
        (first, *_) = [line for line in said if line["version"] == version.version]
        assert (first["level"], first["code"]) == ("error", code)
        self.assert_incumbent_serves()
        self.unload()

    def assert_incumbent_serves(self):
        answer = call(self.instance, "acme", self.place.keys["acme"], text="still here")
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-hotswap-version"] == "1.0.0"

    def metrics(self):
        return self.instance.get("/metrics").text

    def log(self):
        lines = self.instance.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def served(place):
    return Served(place)


def spoil(path):
    """One byte, in place, whatever the file's mode."""
    mode = path.stat().st_mode
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(mode)


def stored(version):
    return Path(storages["artifacts"].path(f"artifacts/sha256/{version.artifact_digest}"))


def test_a_stored_object_that_was_altered_is_refused(served):
    version = served.publish("1.1.0")
    spoil(stored(version))

    served.assert_refused(version, "artifact_tampered")


def test_another_good_artifact_in_its_place_is_refused_too(served):
    version, other = served.publish("1.1.0"), served.publish("1.2.0")
    stored(version).chmod(0o600)
    stored(version).write_bytes(stored(other).read_bytes())

    served.assert_refused(version, "artifact_tampered")


def test_an_altered_layer_is_refused_once_and_then_fetched_anew(served):
    version = served.publish("1.1.0")
    served.load(version, "ready")
    served.unload()
    spoil(LAYERS / WORKER / "layers" / version.artifact_digest / "tree" / "echo.py")

    served.place.route(warm=version, warm_until=FOREVER)
    alarms = IntegrityAlarm.objects.filter(version=version, code="layer_tampered")
    wait_until(alarms.exists, what="the alarm")
    served.assert_incumbent_serves()
    served.place.wait_placed(version, state="ready")
    assert 'code="layer_tampered"} 1' in served.metrics()


def altered_rows(served):
    """A version for each way to alter its row, the change, and what the instance says of it."""
    other = served.publish("1.9.0", is_signed=True)
    draft = {"approval": None, "approval_signature": ""}
    native = {"native": True, "egress": []}
    return [
        (lambda row: {"manifest": row.manifest | {"permissions": native}}, "manifest_tampered"),
        (lambda row: {"manifest": {"name": "echo"}}, "manifest_tampered"),
        (lambda row: {"manifest_digest": other.manifest_digest}, "manifest_tampered"),
        (lambda row: {"lock_digest": "0" * 64}, "approval_invalid"),
        (lambda row: draft, "approval_invalid"),
        (lambda row: {"approval": row.approval | {"approvers": [1]}}, "approval_invalid"),
        (
            lambda row: {
                "approval": other.approval,
                "approval_signature": other.approval_signature,
            },
            "approval_invalid",
        ),
        (lambda row: {"signature": None, "signed_by": None}, "approval_invalid"),
        (lambda row: {"signature": other.signature}, "approval_invalid"),
    ]


def test_a_row_that_was_altered_is_refused(served):
    for number, (change, code) in enumerate(altered_rows(served)):
        version = served.publish(f"1.1.{number}", is_signed=True)
        served.alter(version, **change(version))
        served.assert_refused(version, code)


def test_the_digest_of_another_artifact_in_the_row_is_refused(served):
    """The other one is whole, approved and stored: it is only not this version."""
    version, other = served.publish("1.1.0"), served.publish("1.2.0")
    served.alter(other, artifact_digest="0" * 64)
    served.alter(version, artifact_digest=other.artifact_digest)

    served.assert_refused(version, "approval_invalid")


def test_a_draft_that_is_called_approved_is_refused(served):
    version = served.publish("1.1.0")
    served.alter(version, approval=None, approval_signature="")

    served.assert_refused(version, "approval_invalid")


def test_a_revoked_version_does_not_come_back_by_its_row(served):
    version = served.publish("1.1.0")
    served.load(version, "ready")
    revoke_version(version=version, by=served.place.carol)
    gone = Placement.objects.filter(version=version)
    wait_until(lambda: not gone.exists(), what="it is unloaded")

    served.alter(version, status="approved")
    number = served.place.route(warm_until=FOREVER)
    served.place.wait_acked(number)
    assert not gone.exists()
    served.assert_incumbent_serves()


def test_a_revoked_key_keeps_its_versions_from_being_loaded_anew(served):
    """What runs goes on running; to end it, one revokes the version."""
    running, waiting = (served.publish(number, is_signed=True) for number in ("1.1.0", "1.2.0"))
    served.load(running, "ready")
    revoke_publisher_key(key=served.publisher.key, by=served.place.bob, reason="stolen")

    deployment = make_deployment(waiting, incumbent=served.incumbent)
    served.place.route(candidate=waiting, deployment=deployment)
    served.place.wait_placed(waiting, state="failed")
    assert IntegrityAlarm.objects.get().code == "publisher_key_revoked"
    assert Placement.objects.get(version=running).state == "ready"
    served.assert_incumbent_serves()


def test_an_expired_key_matters_at_the_approval_only(served):
    version = served.publish("1.1.0", is_signed=True)
    served.publisher.expire()

    served.load(version, "ready")


def test_an_alarm_reaches_the_audit_log_once(served):
    version = served.publish("1.1.0")
    spoil(stored(version))
    served.load(version, "failed")

    assert [record_new_alarms(), record_new_alarms()] == [1, 0]
    event = AuditEvent.objects.get(action="version.tampered")
    assert (event.actor, event.object_id) == ("instance i-1", "echo 1.1.0")
    assert event.after["code"] == "artifact_tampered"
    assert event.after["environment"] == "qa"
