import pytest

from deployments.models import Hold
from plugins.models import VersionStatus
from tenants.models import TenantSecret
from tests.factories import environment, make_installation, make_plugin, make_version

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.fixture
def installation(acme, stable):
    return make_installation(acme, stable.plugin, config={"country": "NL"})


def test_an_owner_sees_what_is_installed_and_which_version_serves(signed_in, alice, installation):
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "echo" in page
    assert "<strong>1.0.0</strong>" in page
    assert "1 setting" in page


def test_a_held_tenant_reads_why(signed_in, alice, installation, stable):
    Hold.objects.create(
        tenant=installation.tenant,
        plugin=stable.plugin,
        environment=environment(),
        version=make_version(stable.plugin, "0.9.0"),
        reason="country is not one of the choices",
    )
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "<strong>0.9.0</strong>" in page
    assert "country is not one of the choices" in page


def test_of_a_secret_only_name_and_date_are_shown(signed_in, alice, installation):
    TenantSecret.objects.create(
        tenant=installation.tenant,
        installation=installation,
        key="signing_key",
        ciphertext=b"planted-bytes",
    )
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "signing_key" in page
    assert "planted-bytes" not in page


def test_another_tenants_page_does_not_exist(signed_in, mallory, globex, installation):
    assert signed_in(mallory).get("/tenants/acme/").status_code == 404


@pytest.mark.parametrize("name", ["bob", "carol", "victor"])
def test_staff_who_are_no_admins_do_not_see_it(name, request, signed_in, installation):
    person = request.getfixturevalue(name)
    assert signed_in(person).get("/tenants/acme/").status_code == 404


def test_an_admin_sees_it(signed_in, ada, installation):
    assert signed_in(ada).get("/tenants/acme/").status_code == 200


def test_a_former_member_is_locked_out(signed_in, alice, installation):
    from django.utils import timezone  # only here

    installation.tenant.members.update(removed_at=timezone.now())
    assert signed_in(alice).get("/tenants/acme/").status_code == 404


def test_whoever_uses_a_deprecated_plugin_is_told_what_replaces_it(signed_in, alice, installation):
    plugin = installation.plugin
    plugin.is_deprecated, plugin.deprecation_reason = True, "Too loud."
    plugin.replacement = make_plugin("whisper")
    plugin.save()
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "This plugin is deprecated" in page
    assert "Too loud. Use <strong>whisper</strong> instead." in page


def test_whoever_is_served_a_yanked_version_is_told_why(signed_in, alice, installation, stable):
    stable.status, stable.status_reason = VersionStatus.YANKED, "Rounds wrongly"
    stable.save()
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "Version 1.0.0 is yanked" in page
    assert "Rounds wrongly" in page


def test_an_empty_tenant_learns_how_to_begin(signed_in, alice, acme):
    page = text(signed_in(alice).get("/tenants/acme/"))
    assert "No plugin is installed for Acme" in page
    assert "/api/v1/tenants/acme/plugins/" in page
