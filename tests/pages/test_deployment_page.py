import pytest

from deployments.models import DeploymentCommand, DeploymentEvent, Status
from deployments.plans import draw_plan, store_steps, strategy_of
from observability.models import CallWindow
from tests.factories import make_deployment, make_user, make_version

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


def address(deployment, part=""):
    return f"/deployments/{deployment.pk}/{part}"


def labels(response):
    return [offer.label for offer in response.context["offers"]]


@pytest.mark.parametrize("name", ["ada", "bob", "carol", "victor"])
def test_staff_read_it(name, request, signed_in, deployment):
    page = signed_in(request.getfixturevalue(name)).get(address(deployment))
    assert page.status_code == 200


def test_a_tenants_owner_does_not(signed_in, acme, alice, deployment):
    assert signed_in(alice).get(address(deployment)).status_code == 403


def test_it_shows_each_step_and_what_happened(signed_in, victor, deployment):
    store_steps(deployment, draw_plan(strategy_of(deployment), has_incumbent=True))
    deployment.steps.filter(position=0).update(status="done", detail="2 of 2 instances")
    DeploymentEvent.objects.create(
        deployment=deployment, sequence=1, kind="step_done", message="all loaded"
    )
    page = text(signed_in(victor).get(address(deployment)))
    assert "Load the candidate on every instance" in page
    assert "2 of 2 instances" in page
    assert "all loaded" in page


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("ada", ["Pause", "Skip this wait", "Promote now", "Roll back"]),
        ("bob", ["Pause", "Roll back"]),
        ("carol", ["Pause", "Skip this wait", "Promote now", "Roll back"]),
        ("victor", []),
    ],
)
def test_buttons_follow_the_role(name, offered, request, signed_in, deployment):
    page = signed_in(request.getfixturevalue(name)).get(address(deployment))
    assert labels(page) == offered


def test_another_developer_steers_nothing(signed_in, deployment):
    dora = make_user("dora", role="Developer")
    client = signed_in(dora)
    assert labels(client.get(address(deployment))) == []
    assert client.post(address(deployment, "pause/")).status_code == 403


def test_a_paused_deployment_offers_to_resume_and_says_why_it_waits(signed_in, bob, deployment):
    deployment.pause_reasons = ["manual"]
    deployment.save()
    page = signed_in(bob).get(address(deployment))
    assert labels(page) == ["Resume", "Roll back"]
    assert "Paused: manual" in text(page)


def test_one_that_waits_for_approval_asks_approvers_but_not_its_author(
    signed_in, bob, carol, stable
):
    waiting = make_deployment(
        make_version(stable.plugin, "2.0.0"),
        env="staging",
        by=bob,
        status=Status.AWAITING_APPROVAL,
        required_approvals=1,
    )
    assert labels(signed_in(carol).get(address(waiting))) == ["Approve", "Decline", "Abort"]
    assert labels(signed_in(bob).get(address(waiting))) == ["Abort"]
    assert signed_in(bob).post(address(waiting, "approve/")).status_code == 403


@pytest.mark.parametrize("kind", ["pause", "rollback", "promote"])
def test_a_button_becomes_a_command_with_its_reason(kind, signed_in, carol, deployment):
    answer = signed_in(carol).post(address(deployment, f"{kind}/"), {"comment": "odd totals"})
    assert answer.url == address(deployment)
    command = DeploymentCommand.objects.get(deployment=deployment)
    assert (command.kind, command.by, command.arguments) == (
        kind,
        carol,
        {"comment": "odd totals"},
    )


def test_what_cannot_be_done_any_more_is_told_and_changes_nothing(signed_in, carol, deployment):
    deployment.status = Status.COMPLETED
    deployment.save()
    page = signed_in(carol).post(address(deployment, "pause/"), follow=True)
    assert "completed" in text(page)
    assert 'role="alert"' in text(page)
    assert not DeploymentCommand.objects.exists()


def test_commands_that_do_not_exist_are_not_found(signed_in, carol, deployment):
    assert signed_in(carol).post(address(deployment, "supersede/")).status_code == 404
    assert signed_in(carol).post(address(deployment, "explode/")).status_code == 404


def test_a_link_commands_nothing(signed_in, carol, deployment):
    assert signed_in(carol).get(address(deployment, "rollback/")).status_code == 405


def test_a_form_from_elsewhere_commands_nothing(carol, deployment):
    from django.test import Client  # the strict one, unlike pytest-django's

    client = Client(enforce_csrf_checks=True)
    client.force_login(carol)
    answer = client.post(address(deployment, "rollback/"))
    assert answer.status_code == 403
    assert "This form has expired" in text(answer)


def test_calls_are_counted_by_version(signed_in, bob, deployment):
    for version, calls, failures in (
        (deployment.candidate, 40, 3),
        (deployment.incumbent, 1200, 0),
    ):
        CallWindow.objects.create(
            instance="i-1",
            boot="00000000-0000-0000-0000-000000000001",
            environment="qa",
            plugin_id=version.plugin_id,
            version_id=version.pk,
            second=deployment.created_at,
            calls=calls,
            failures=failures,
            outcomes={},
            latencies={},
            tenants={},
        )
    cards = signed_in(bob).get(address(deployment)).context["cards"]
    assert [(card.role, card.calls.calls, card.calls.failures) for card in cards] == [
        ("candidate", 40, 3),
        ("incumbent", 1200, 0),
    ]


def test_an_ended_deployment_stops_asking(signed_in, bob, deployment):
    client = signed_in(bob)
    assert "hx-get" in text(client.get(address(deployment, "live/")))
    deployment.status = Status.ROLLED_BACK
    deployment.save()
    assert "hx-get" not in text(client.get(address(deployment, "live/")))


def test_the_live_part_answers_not_modified(signed_in, bob, deployment):
    client = signed_in(bob)
    tag = client.get(address(deployment, "live/"))["ETag"]
    again = client.get(address(deployment, "live/"), headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_hostile_words_are_only_words(signed_in, bob, deployment):
    hostile = "<script>alert(1)</script>"
    deployment.reason = deployment.plugin.summary = hostile
    deployment.save()
    deployment.plugin.save()
    DeploymentEvent.objects.create(deployment=deployment, sequence=1, kind=hostile, message=hostile)
    deployment.steps.create(position=0, kind="load", detail=hostile)
    client = signed_in(bob)
    for path in (address(deployment), address(deployment, "live/"), "/", "/plugins/echo/"):
        page = text(client.get(path))
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_more_steps_and_events_are_no_more_queries(
    signed_in, bob, deployment, django_assert_max_num_queries
):
    client = signed_in(bob)
    with django_assert_max_num_queries(20) as few:
        client.get(address(deployment))
    for number in range(1, 30):
        deployment.steps.create(position=number, kind="load")
        DeploymentEvent.objects.create(deployment=deployment, sequence=number, kind="x")
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(address(deployment))
