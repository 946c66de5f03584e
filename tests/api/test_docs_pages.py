"""The API describes itself, from local files alone."""

import re

import pytest

pytestmark = pytest.mark.django_db


def test_anybody_may_read_the_schema(client):
    answer = client.get("/api/v1/schema")

    assert answer.status_code == 200
    assert b"/api/v1/plugins/{plugin_name}/versions" in answer.content


@pytest.mark.parametrize("address", ["docs", "docs?script=", "docs/reference"])
def test_the_pages_load_nothing_from_elsewhere(client, plain_static, address):
    page = client.get(f"/api/v1/{address}")

    loaded = re.findall(r'(?:src|href|url)\s*[=:]\s*["\']?(?:https?:)?//', page.content.decode())
    assert (page.status_code, loaded) == (200, [])
