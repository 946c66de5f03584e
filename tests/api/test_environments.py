"""Where versions are deployed to."""

import pytest

from observability.models import AuditEvent
from plugins.models import Environment

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/environments"


def test_environments_come_in_the_order_of_promotion(as_user, victor):
    names = [row["name"] for row in as_user(victor).get(ADDRESS).json()["results"]]

    assert names == ["development", "qa", "staging", "production"]


def test_an_admin_makes_an_environment(as_user, ada):
    answer = as_user(ada).post(ADDRESS, {"name": "eu-west", "required_approvals": 1})

    assert answer.status_code == 201, answer.json()
    assert Environment.objects.get(name="eu-west").requires_approved_versions is True
    assert as_user(ada).get(f"{ADDRESS}/eu-west").json()["required_approvals"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "qa"}, 409),
        ({"name": "No Name"}, 400),
        ({}, 400),
        ({"name": "x", "is_frozen": True}, 400),
        ({"name": "x", "required_approvals": -1}, 400),
        ({"name": "x", "generation": 7}, 400),
    ],
)
def test_a_bad_environment_is_not_made(as_user, ada, nothing_changes, body, status):
    with nothing_changes():
        assert as_user(ada).post(ADDRESS, body).status_code == status


def test_instances_hear_of_a_change(as_user, ada):
    before = Environment.objects.get(name="qa").generation

    body = as_user(ada).patch(f"{ADDRESS}/qa", {"required_approvals": 2}).json()

    assert (body["required_approvals"], body["generation"]) == (2, before + 1)


def test_freezing_again_changes_nothing_but_is_no_error(as_user, ada):
    client = as_user(ada)

    for verb, frozen in (("freeze", True), ("freeze", True), ("unfreeze", False)):
        body = client.post(f"{ADDRESS}/qa/{verb}", {"reason": "Holidays"}).json()
        assert body["is_frozen"] is frozen

    actions = AuditEvent.objects.filter(object_id="qa").values_list("action", flat=True)
    assert sorted(actions) == ["environment.frozen", "environment.unfrozen"]


def test_a_freeze_needs_a_reason(as_user, ada, nothing_changes):
    with nothing_changes():
        assert as_user(ada).post(f"{ADDRESS}/qa/freeze", {}).status_code == 400
