import pytest
from django.core.management import call_command

from tests.architecture.sources import REPOSITORY

COMMITTED = REPOSITORY / "docs" / "openapi.yaml"


MOUNTED = "api/v1" in (REPOSITORY / "hotswap" / "urls.py").read_text()


@pytest.mark.skipif(not MOUNTED, reason="the API is not mounted")
def test_the_committed_schema_is_the_one_that_the_code_describes(tmp_path):
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--file", str(fresh), "--validate", "--fail-on-warn")
    assert COMMITTED.exists(), "make it: ./dev manage spectacular --file docs/openapi.yaml"
    same = fresh.read_text() == COMMITTED.read_text()
    assert same, "renew it: ./dev manage spectacular --file docs/openapi.yaml"
