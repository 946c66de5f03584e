import pytest
from django.apps import apps
from django.contrib import admin

from deployments.models import Deployment
from observability.models import AuditEvent
from plugins.models import Environment, PluginVersion, VersionStatus
from tenants.models import TenantSecret
from tests.artifacts import plugin_zip
from tests.factories import PASSWORD, make_installation, make_version, minimal_manifest

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


@pytest.fixture
def decide(signed_in, ada):
    """``decide("approve", version, reason="")``: the page after ada chose and confirmed it."""

    def ask(action, version, **values):
        sent = {"action": action, "_selected_action": [version.pk], **values}
        return signed_in(ada).post(address(PluginVersion), sent, follow=True)

    return ask


def test_a_decision_in_the_admin_shows_first_what_changes(decide, echo, stable):
    PluginVersion.objects.update(approval={"plugin": "echo"})
    asking = minimal_manifest(
        "echo", "3.0.0", permissions={"egress": [{"host": "api.example.com"}]}
    )
    version = make_version(echo, "3.0.0", status=VersionStatus.DRAFT, manifest=asking)
    page = text(decide("approve", version))
    assert "asks for egress to api.example.com" in page
    assert version.artifact_digest in page
    version.refresh_from_db()
    assert version.status == VersionStatus.DRAFT


def test_approving_in_the_admin_is_the_same_service(decide, upload, ada):
    upload(plugin_zip())
    version = PluginVersion.objects.get()
    page = decide("approve", version, confirmed="yes", reason="read it")
    version.refresh_from_db()
    assert version.status == VersionStatus.APPROVED
    assert version.approval["approvers"] == [ada.pk]
    assert "echo 1.0.0 is approved" in text(page)
    assert "read it" in str(AuditEvent.objects.get(action="version.approved", actor="ada").after)


@pytest.mark.parametrize(
    ("action", "status"),
    [("deprecate", "deprecated"), ("yank", "yanked"), ("revoke", "revoked")],
)
def test_retiring_in_the_admin_asks_why(action, status, decide, stable):
    asked = decide(action, stable, confirmed="yes", reason=" ")
    stable.refresh_from_db()
    assert stable.status == VersionStatus.APPROVED
    assert "Nothing was changed" in text(asked)
    decide(action, stable, confirmed="yes", reason="rounds wrongly")
    stable.refresh_from_db()
    assert stable.status == status
    assert AuditEvent.objects.filter(action=f"version.{status}", actor="ada").exists()


def test_a_refusal_in_the_admin_is_told(decide, stable, keys_dir):
    page = decide("reject", stable, confirmed="yes", reason="no")
    assert "only a version that is" in text(page)
    stable.refresh_from_db()
    assert stable.status == VersionStatus.APPROVED


def test_an_admin_does_not_approve_what_is_their_own(decide, ada, echo):
    version = make_version(echo, "3.0.0", status=VersionStatus.DRAFT)
    PluginVersion.objects.update(uploaded_by=ada)
    assert "is yours" in text(decide("approve", version, confirmed="yes"))
    version.refresh_from_db()
    assert version.status == VersionStatus.DRAFT


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
