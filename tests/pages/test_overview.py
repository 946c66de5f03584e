from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.models import DeploymentStep, PlacementState, Status, StepStatus
from deployments.plans import draw_plan, store_steps, strategy_of
from tests.factories import (
    make_deployment,
    make_instance,
    make_placement,
    make_plugin,
    make_tenant,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


def plan(deployment):
    store_steps(deployment, draw_plan(strategy_of(deployment), has_incumbent=True))
    return DeploymentStep.objects.filter(deployment=deployment)


@pytest.mark.parametrize("name", ["ada", "bob", "carol", "victor"])
def test_the_platforms_staff_see_what_runs(name, request, signed_in, deployment):
    page = text(signed_in(request.getfixturevalue(name)).get("/"))
    assert f"/deployments/{deployment.pk}/" in page
    assert "1.1.0" in page


def test_only_who_may_deploy_is_offered_to(signed_in, bob, carol):
    assert "Deploy a version" in text(signed_in(bob).get("/"))
    assert "Deploy a version" not in text(signed_in(carol).get("/"))


def test_a_tenants_owner_is_taken_to_the_tenant(signed_in, acme, alice):
    assert signed_in(alice).get("/").url == "/tenants/acme/"


def test_an_owner_of_several_tenants_chooses(signed_in, acme, alice):
    make_tenant("initech", owner=alice)
    page = text(signed_in(alice).get("/"))
    assert "/tenants/acme/" in page
    assert "/tenants/initech/" in page


def test_somebody_without_a_tenant_learns_whom_to_ask(signed_in):
    assert "You belong to no tenant yet" in text(signed_in(make_user("nobody")).get("/"))


def test_an_empty_platform_says_what_to_do_next(signed_in, bob, carol):
    page = text(signed_in(bob).get("/"))
    assert "No plugin is registered yet" in page
    assert "/register/" in page
    assert "runinstance" in page
    assert "/register/" not in text(signed_in(carol).get("/"))


def test_the_bar_counts_steps_and_the_time_of_a_wait(signed_in, bob, deployment):
    steps = plan(deployment)
    steps.filter(position__lt=3).update(status=StepStatus.DONE)
    began = timezone.now() - timedelta(seconds=15)
    steps.filter(position=3).update(status=StepStatus.RUNNING, started_at=began)
    page = text(signed_in(bob).get("/"))
    assert '<progress max="6" value="3.5' in page
    assert "Step 4 of 6: Watch the candidate for 30 s" in page


def test_it_polls_often_while_something_moves_and_seldom_otherwise(signed_in, bob, deployment):
    client = signed_in(bob)
    assert 'hx-trigger="every 2s' in text(client.get("/live/"))
    deployment.status = Status.COMPLETED
    deployment.save()
    assert 'hx-trigger="every 15s' in text(client.get("/live/"))


def test_a_part_that_has_not_changed_costs_an_empty_answer(signed_in, bob, deployment):
    client = signed_in(bob)
    first = client.get("/live/")
    again = client.get("/live/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    deployment.pause_reasons = ["manual"]
    deployment.save()
    changed = client.get("/live/", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "paused" in text(changed)


def test_a_live_part_reloads_the_page_when_the_session_has_ended(client):
    answer = client.get("/live/")
    assert answer.status_code == 200
    assert answer["HX-Refresh"] == "true"


def test_a_live_part_is_no_way_around_the_roles(signed_in, acme, alice):
    assert signed_in(alice).get("/live/").status_code == 403


def test_an_instance_shows_what_it_has_loaded_and_how_far_behind_it_is(signed_in, bob, stable):
    instance = make_instance("i-7")
    make_placement(instance, stable, state=PlacementState.FAILED, detail="no memory")
    type(instance.environment).objects.filter(name="qa").update(generation=5)
    page = text(signed_in(bob).get("/"))
    assert "i-7" in page
    assert "no memory" in page
    assert "5 behind" in page


def test_an_instance_without_heartbeat_is_silent_and_not_counted(signed_in, bob):
    make_instance("i-1", heartbeat_at=timezone.now() - timedelta(seconds=30))
    response = signed_in(bob).get("/")
    assert [view.state for view in response.context["instances"]] == ["silent"]
    assert [card.live for card in response.context["environments"]] == [0, 0, 0, 0]


def test_what_an_earlier_boot_had_loaded_is_not_shown(signed_in, bob, stable):
    instance = make_instance()
    make_placement(instance, stable, boot="00000000-0000-0000-0000-000000000001")
    view = signed_in(bob).get("/").context["instances"][0]
    assert view.placements == ()


def fill(count, bob):
    for number in range(count):
        plugin = make_plugin(f"plugin-{number}", owner=bob)
        plan(make_deployment(make_version(plugin), status=Status.COMPLETED))
        plan(make_deployment(make_version(plugin, "2.0.0"), status=Status.IN_PROGRESS))
        make_placement(make_instance(f"i-{number}"), plugin.versions.first())


@pytest.mark.parametrize("path", ["/", "/live/", "/plugins/", "/deployments/"])
def test_more_rows_are_no_more_queries(path, signed_in, bob, django_assert_max_num_queries):
    fill(2, bob)
    client = signed_in(bob)
    with django_assert_max_num_queries(30) as few:
        client.get(path)
    needed = len(few.captured_queries)
    for number in range(2, 8):
        plugin = make_plugin(f"plugin-{number}", owner=bob)
        plan(make_deployment(make_version(plugin), status=Status.IN_PROGRESS))
        make_placement(make_instance(f"i-{number}"), plugin.versions.first())
    with django_assert_max_num_queries(needed):
        client.get(path)
