import pytest
from django.apps import apps
from django.contrib import admin

from deployments.models import Deployment
from plugins.models import Environment, PluginVersion, VersionStatus
from tenants.models import TenantSecret
from tests.factories import PASSWORD, make_installation, make_version

pytestmark = pytest.mark.django_db

OURS = [
    model
    for app in ("plugins", "tenants", "deployments", "observability")
    for model in apps.get_app_config(app).get_models()
]
EDITABLE = {"environment", "plugin"}


def text(response):
    return response.content.decode()


def address(model, part=""):
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{part}"


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_every_model_has_a_list_that_opens(model, signed_in, ada, deployment):
    assert signed_in(ada).get(address(model)).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_rows_are_made_and_removed_by_services_alone(model, signed_in, ada, rf):
    request = rf.get("/")
    request.user = ada
    page = admin.site.get_model_admin(model)
    name = model._meta.model_name
    assert not page.has_delete_permission(request)
    assert page.has_add_permission(request) == (name == "environment")
    assert page.has_change_permission(request) == (name in EDITABLE)


@pytest.mark.parametrize("name", ["bob", "carol", "victor", "alice"])
def test_only_admins_come_in(name, request, signed_in):
    person = request.getfixturevalue(name)
    person.is_staff = True
    person.save()
    assert signed_in(person).get("/admin/", follow=True).redirect_chain


def test_an_admin_signs_in_there_too(client, ada):
    client.post("/admin/login/?next=/admin/", {"username": "ada", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_a_deployments_state_is_not_for_typing(signed_in, ada, deployment):
    page = signed_in(ada).get(address(Deployment, f"{deployment.pk}/change/"))
    assert page.status_code == 200
    assert 'name="status"' not in text(page)
    assert f"/deployments/{deployment.pk}/" in text(page)
    sent = signed_in(ada).post(
        address(Deployment, f"{deployment.pk}/change/"), {"status": "completed"}
    )
    assert sent.status_code == 403


def test_approving_in_the_admin_is_the_same_service(signed_in, ada, echo, keys_dir):
    version = make_version(echo, "3.0.0", status=VersionStatus.DRAFT)
    values = {"action": "approve", "_selected_action": [version.pk]}
    page = signed_in(ada).post(address(PluginVersion), values, follow=True)
    version.refresh_from_db()
    assert version.status == VersionStatus.APPROVED
    assert version.approval["approvers"] == [ada.pk]
    assert "echo 3.0.0 is approved" in text(page)


def test_a_refusal_in_the_admin_is_told(signed_in, ada, stable, keys_dir):
    values = {"action": "reject", "_selected_action": [stable.pk]}
    page = signed_in(ada).post(address(PluginVersion), values, follow=True)
    assert "only a version that is" in text(page)
    stable.refresh_from_db()
    assert stable.status == VersionStatus.APPROVED


def test_an_environment_is_adjusted_through_its_service(signed_in, ada):
    qa = Environment.objects.get(name="qa")
    values = {"position": 1, "required_approvals": 3, "requires_approved_versions": "on"}
    signed_in(ada).post(address(Environment, f"{qa.pk}/change/"), values)
    changed = Environment.objects.get(name="qa")
    assert changed.required_approvals == 3
    assert changed.generation > qa.generation


def test_secrets_show_that_they_exist_and_nothing_else(signed_in, ada, acme, stable):
    secret = TenantSecret.objects.create(
        tenant=acme,
        installation=make_installation(acme, stable.plugin),
        key="signing_key",
        ciphertext=b"planted-bytes",
    )
    page = text(signed_in(ada).get(address(TenantSecret, f"{secret.pk}/change/")))
    assert "signing_key" in page
    assert "planted" not in page
    assert "iphertext" not in page
