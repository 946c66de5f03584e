"""Every route, every role, another tenant: what is acme's does not exist for mallory."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from deployments.models import DeploymentCommand
from hotswap.lib.issuing import issue_access_token
from observability.models import AuditEvent
from plugins.models import ApiKey, PresignedUpload
from tenants.models import Tenant, TenantMember, TenantPluginConfig, TenantSecret
from tenants.services import set_secret
from tests.factories import (
    make_api_key,
    make_deployment,
    make_installation,
    make_plugin,
    make_route,
    make_tenant,
    make_user,
    make_version,
    minimal_manifest,
)

METHODS = ("get", "post", "put", "patch", "delete")
# Asking for a credential, and what the API says of itself, needs none.
OPEN = re.compile(r"api/v1/(schema|docs.*|auth/token(/.*)?)")
# The instance behind it authenticates; without one there is nobody to ask.
PASSED_ON = re.compile(r"api/v1/tenants/<str:slug>/plugins/<str:name>/invoke")
# What somebody does to what is their own, whoever they are.
OWN = re.compile(r"api/v1/(auth/.*|me)")
ACMES = re.compile(r".*<(str:slug|uuid:pk|uuid:key_id)>")
MARK = "planted-in-acme"
BODY = {
    "config": {},
    "value": "v",
    "version": "1.0.0",
    "reason": "r",
    "user": "mallory",
    "requests_per_minute": 1,
    "concurrency": 1,
}


def _routes(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def _methods(callback):
    if hasattr(callback, "actions"):
        return tuple(callback.actions)
    view = getattr(callback, "cls", None)
    return tuple(m for m in METHODS if hasattr(view, m)) if view else METHODS


ROUTES = [
    (route, method)
    for route, callback in _routes(get_resolver().url_patterns)
    if route.startswith("api/")
    for method in _methods(callback)
]
TENANT_ROUTES = [each for each in ROUTES if "<str:slug>" in each[0]]


@pytest.fixture
def acmes(acme, alice, bob, keys_dir):
    """What acme has, by the names of the parameters of routes."""
    plugin = make_plugin("signer", owner=bob)
    declared = {"secrets": {"token": {"mode": "value"}}}
    version = make_version(plugin, manifest=minimal_manifest("signer", "1.0.0", **declared))
    make_route(plugin, stable=version)
    installation = make_installation(acme, plugin, config={"note": MARK})
    set_secret(installation=installation, key="token", value=MARK, by=alice)
    key, _ = make_api_key(tenant=acme, created_by=alice)
    return {
        "slug": "acme",
        "name": "signer",
        "plugin_name": "signer",
        "version": "1.0.0",
        "username": "alice",
        "key": "token",
        "key_id": key.pk,
        "pk": make_deployment(version).pk,
        "id": _upload(plugin).pk,
    }


def _upload(plugin):
    return PresignedUpload.objects.create(
        plugin=plugin,
        created_by=plugin.owner,
        digest="0" * 64,
        size_bytes=1,
        expires_at=timezone.now() + timedelta(hours=1),
    )


def _clients(globex, mallory, alice):
    caller = make_user("caspar")
    TenantMember.objects.create(tenant=globex, user=caller, role="caller")
    _, users_key = make_api_key(user=mallory, scopes=("read", "write", "invoke"))
    _, tenants_key = make_api_key(
        tenant=globex, created_by=mallory, scopes=("read", "write", "invoke")
    )
    outsider = make_user("oscar")
    return {
        "another tenant's owner": issue_access_token(mallory),
        "another tenant's caller": issue_access_token(caller),
        "a user of no tenant": issue_access_token(outsider),
        "a key of another tenant's owner": users_key,
        "a key of another tenant": tenants_key,
    }


@pytest.fixture
def strangers(globex, mallory, alice, keys_dir):
    """Clients of everybody who belongs elsewhere, by what they are."""
    return {who: _client(token) for who, token in _clients(globex, mallory, alice).items()}


@pytest.fixture
def staff(bob, carol, victor, keys_dir):
    """Clients of the platform's people who may not act for tenants."""
    return {user.username: _client(issue_access_token(user)) for user in (bob, carol, victor)}


def _client(token=None):
    client = APIClient()
    if token:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def _ask(client, route, method, parameters):
    def fill(match):
        value = parameters[match.group(1)]
        return str(value)

    return getattr(client, method)("/" + re.sub(r"<\w+:(\w+)>", fill, route), BODY)


def _state():
    models = (Tenant, TenantMember, TenantPluginConfig, TenantSecret, ApiKey, AuditEvent)
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    return rows, DeploymentCommand.objects.count()


def test_every_parameter_of_every_route_is_known_here(acmes):
    found = {name for route, _ in ROUTES for name in re.findall(r"<\w+:(\w+)>", route)}
    assert found <= set(acmes), "say what acme's is, so that others can be kept from it"
    assert len(TENANT_ROUTES) > 20


def test_nobody_gets_anything_without_a_credential(acmes):
    before = _state()
    for route, method in ROUTES:
        if OPEN.fullmatch(route):
            continue
        answer = _ask(_client(), route, method, acmes)
        if PASSED_ON.fullmatch(route):
            assert answer.status_code in (401, 404, 405, 503), (route, method)
        else:
            assert answer.status_code == 401, (route, method, answer.status_code)
    assert _state() == before


@pytest.mark.parametrize("token", ["", "hs_00000000_" + "0" * 43, "e30.e30.e30", "nonsense"])
def test_a_credential_that_is_none_is_nobodys(acmes, token):
    for route, method in TENANT_ROUTES:
        if PASSED_ON.fullmatch(route):
            continue
        answer = _ask(_client(token or "x"), route, method, acmes)
        assert answer.status_code == 401, (route, method, answer.status_code)


def test_what_is_acmes_does_not_exist_for_others(acmes, strangers):
    before = _state()
    for who, client in strangers.items():
        for route, method in ROUTES:
            if not ACMES.match(route) or PASSED_ON.fullmatch(route):
                continue
            answer = _ask(client, route, method, acmes)
            assert answer.status_code in (403, 404), (who, route, method, answer.status_code)
            assert MARK not in answer.content.decode()
    assert _state() == before


def test_nothing_that_others_may_read_tells_of_acme(acmes, strangers):
    for who, client in strangers.items():
        for route, method in ROUTES:
            if method != "get" or ACMES.match(route) or OPEN.fullmatch(route):
                continue
            answer = _ask(client, route, method, acmes)
            text = answer.content.decode() if not answer.streaming else ""
            assert MARK not in text, (who, route)
            assert "acme" not in text, (who, route)


def test_others_change_nothing_of_the_platforms_either(acmes, strangers):
    before = _state()
    for who, client in strangers.items():
        for route, method in ROUTES:
            if method == "get" or OPEN.fullmatch(route) or OWN.fullmatch(route):
                continue
            answer = _ask(client, route, method, acmes)
            assert not 200 <= answer.status_code < 300, (who, route, method)
    assert _state() == before


def test_the_platforms_people_may_not_act_for_a_tenant(acmes, staff):
    before = _state()
    for who, client in staff.items():
        for route, method in TENANT_ROUTES:
            if PASSED_ON.fullmatch(route):
                continue
            answer = _ask(client, route, method, acmes)
            assert answer.status_code == 403, (who, route, method, answer.status_code)
    assert _state() == before


def test_a_tenant_that_does_not_exist_looks_like_anothers(acmes, strangers):
    invented = acmes | {"slug": "initech", "pk": UUID(int=1), "key_id": UUID(int=1)}
    client = strangers["another tenant's owner"]
    for route, method in TENANT_ROUTES:
        if PASSED_ON.fullmatch(route):
            continue
        real = _ask(client, route, method, acmes)
        unreal = _ask(client, route, method, invented)
        assert real.status_code == unreal.status_code, (route, method)
        told = [each.json()["error"]["message"] for each in (real, unreal)]
        assert told[0].replace("acme", "initech") == told[1], (route, method)


def test_owning_several_tenants_opens_no_other(acmes, mallory, keys_dir):
    initech = make_tenant("initech", owner=mallory)
    assert initech.members.count() == 1
    client = _client(issue_access_token(mallory))
    answer = client.get("/api/v1/tenants/acme/plugins/signer")
    assert answer.status_code == 404
