"""What browsers are told that pages may do."""

import re
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db
TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))


def policy_of(response):
    parts = (part.strip().split(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def test_pages_run_and_load_nothing_but_their_own_files(signed_in, bob):
    policy = policy_of(signed_in(bob).get("/"))
    assert policy["default-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert "unsafe" not in str(policy)


def test_the_admin_alone_may_evaluate_and_set_styles(client):
    policy = policy_of(client.get("/admin/login/"))
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_code_or_looks_elsewhere(template):
    text = re.sub(r"{[%{].*?[%}]}", "", template.read_text())
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text)


def test_htmx_may_not_evaluate_or_run_what_it_fetches(client):
    page = client.get("/sign-in/").content.decode()
    for switch in ("allowEval", "allowScriptTags", "includeIndicatorStyles"):
        assert f'"{switch}": false' in page
