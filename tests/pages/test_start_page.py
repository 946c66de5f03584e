import pytest

from deployments.models import Deployment, Status
from plugins.models import VersionStatus
from tests.factories import environment, make_installation, make_tenant, make_version

pytestmark = pytest.mark.django_db

OPTIONS = {
    "max_error_percent": "5",
    "max_latency_ratio": "2",
    "max_failed_tenants": "3",
    "bake_seconds": "30",
    "warm_seconds": "600",
}


def text(response):
    return response.content.decode()


@pytest.fixture
def candidate(echo, stable):
    return make_version(echo, "1.1.0")


def send(client, candidate, env="qa", **changes):
    values = {
        "version": candidate.pk,
        "environment": environment(env).pk,
        "strategy": "direct",
        "if_active": "reject",
        **OPTIONS,
        **changes,
    }
    return client.post("/deploy/?plugin=echo", values)


def test_without_a_plugin_it_asks_which(signed_in, bob, candidate):
    page = text(signed_in(bob).get("/deploy/"))
    assert '<option value="echo">' in page


def test_with_nothing_to_deploy_it_says_what_comes_first(signed_in, bob):
    assert "There is no version to deploy yet" in text(signed_in(bob).get("/deploy/"))


def test_a_link_from_a_version_has_it_chosen(signed_in, bob, candidate):
    page = text(signed_in(bob).get(f"/deploy/?plugin=echo&version={candidate.pk}"))
    assert f'<option value="{candidate.pk}" selected>' in page


def test_looking_at_the_plan_changes_nothing(signed_in, bob, candidate):
    for slug in ("acme", "globex"):
        make_installation(make_tenant(slug), candidate.plugin)
    page = send(signed_in(bob), candidate, look="")
    assert page.status_code == 200
    assert "for 2 tenants" in text(page)
    assert "Watch the candidate for 30 s" in text(page)
    assert not Deployment.objects.exists()


def test_starting_stores_the_plan_and_shows_it(signed_in, bob, candidate):
    answer = send(signed_in(bob), candidate, start="yes", bake_seconds="5")
    deployment = Deployment.objects.get()
    assert answer.url == f"/deployments/{deployment.pk}/"
    assert (deployment.requested_by, deployment.options) == (bob, {"bake_seconds": 5})
    assert deployment.steps.count() == 6


def test_staging_waits_for_an_approver(signed_in, bob, candidate):
    send(signed_in(bob), candidate, env="staging", start="yes")
    assert Deployment.objects.get().status == Status.AWAITING_APPROVAL


@pytest.mark.parametrize("name", ["carol", "victor"])
def test_who_may_not_deploy_is_refused(name, request, signed_in, candidate):
    client = signed_in(request.getfixturevalue(name))
    assert client.get("/deploy/?plugin=echo").status_code == 403
    assert send(client, candidate, start="yes").status_code == 403
    assert not Deployment.objects.exists()


def test_an_option_out_of_bounds_is_named_beside_its_field(signed_in, bob, candidate):
    page = send(signed_in(bob), candidate, start="yes", max_latency_ratio="0")
    assert page.status_code == 400
    assert "max_latency_ratio" in page.context["form"].errors
    assert not Deployment.objects.exists()


def test_what_the_service_refuses_is_said_above_the_form(signed_in, bob, stable):
    page = send(signed_in(bob), stable, start="yes")
    assert page.status_code == 400
    assert "already the stable version" in text(page)


def test_a_version_of_another_plugin_or_a_rejected_one_is_no_choice(signed_in, bob, candidate):
    rejected = make_version(candidate.plugin, "1.2.0", status=VersionStatus.REJECTED)
    page = send(signed_in(bob), rejected, start="yes")
    assert page.status_code == 400
    assert "version" in page.context["form"].errors


def test_a_second_deployment_names_the_first_one(signed_in, bob, candidate):
    client = signed_in(bob)
    send(client, candidate, start="yes")
    page = send(client, candidate, start="yes")
    assert page.status_code == 400
    assert "already being deployed" in text(page)
    assert Deployment.objects.count() == 1
