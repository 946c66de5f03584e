"""What an instance found tampered with, as people and the audit log hear of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.alarms import recent_alarms, record_new_alarms
from deployments.models import IntegrityAlarm
from deployments.tasks import record_alarms
from observability.models import AuditEvent
from tests.factories import make_instance, make_plugin, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def alarm(bob):
    version = make_version(make_plugin(owner=bob), "1.1.0")
    instance, now = make_instance(), timezone.now()
    return IntegrityAlarm.objects.create(
        instance=instance,
        version=version,
        boot=instance.boot,
        code="artifact_tampered",
        detail="What the storage holds has another sha256.",
        first_at=now,
        last_at=now,
    )


def test_it_is_written_to_the_audit_log_once(alarm):
    record_alarms()
    record_alarms()

    event = AuditEvent.objects.get(action="version.tampered")
    assert (event.actor, event.object_type, event.object_id) == (
        "instance i-1",
        "version",
        "echo 1.1.0",
    )
    assert event.after["code"] == "artifact_tampered"
    assert record_new_alarms() == 0


@pytest.mark.parametrize("person", ["bob", "carol", "victor", "ada"])
def test_the_staff_sees_it_with_its_instance(alarm, as_user, request, person):
    answer = as_user(request.getfixturevalue(person)).get("/api/v1/instances")

    (instance,) = answer.json()["results"]
    (found,) = instance["alarms"]
    assert (found["plugin"], found["version"], found["code"]) == (
        "echo",
        "1.1.0",
        "artifact_tampered",
    )


def test_a_tenant_does_not(alarm, as_user, alice, acme):
    answer = as_user(alice).get("/api/v1/instances")

    assert [row["alarms"] for row in answer.json()["results"]] == [[]]


def test_an_alarm_that_stopped_is_forgotten_after_a_day(alarm):
    now = timezone.now()

    assert list(recent_alarms(now)) == [alarm]
    assert not recent_alarms(now + timedelta(hours=25)).exists()
