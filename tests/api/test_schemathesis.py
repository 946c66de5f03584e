"""The registry's endpoints under generated requests: nothing fails here, nothing is undescribed."""

import json
from pathlib import Path

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hotswap.lib.issuing import issue_access_token
from hotswap.wsgi import application
from plugins.models import VersionStatus
from tests.architecture.sources import REPOSITORY
from tests.factories import make_plugin, make_route, make_user, make_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PREFIXES = ("plugins", "publisher-keys", "environments")
# What the rows below are called; other values are almost never found.
KNOWN = {
    "name": ("echo", "other", "qa"),
    "plugin_name": ("echo", "other"),
    "version": ("1.0.0", "1.1.0"),
    "username": ("bob", "dora"),
}
EXAMPLES = 15


def _schema():
    described = yaml.safe_load(Path(REPOSITORY / "docs" / "openapi.yaml").read_text())
    loaded = schemathesis.openapi.from_dict(described)
    loaded.app = _closing
    return loaded


def _closing(environ, start_response):
    """A server closes what it was given to send; the client of these tests does not."""
    answer = application(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


SCHEMA = _schema()


def _operations():
    for found in SCHEMA.get_all_operations():
        operation = found.ok()
        if operation.path.removeprefix("/api/v1/").split("/")[0] in PREFIXES:
            yield operation.label


@pytest.fixture
def headers(keys_dir, artifacts):
    """Rows to find, and the headers of an Admin and of the Developer who owns them."""
    bob = make_user("bob", role="Developer")
    people = {"admin": make_user("ada", is_admin=True), "developer": bob}
    echo = make_plugin("echo", owner=bob)
    make_user("dora", role="Developer")
    make_plugin("other", owner=people["admin"])
    make_route(echo, stable=make_version(echo))
    make_version(echo, "1.1.0", status=VersionStatus.DRAFT)
    return {
        name: {"Authorization": f"Bearer {issue_access_token(person)}"}
        for name, person in people.items()
    }


@pytest.mark.parametrize("caller", ["admin", "developer"])
@pytest.mark.parametrize("label", list(_operations()))
def test_no_request_breaks_an_endpoint_or_gets_what_the_schema_does_not_say(headers, label, caller):
    operation = next(
        found.ok() for found in SCHEMA.get_all_operations() if found.ok().label == label
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), data=st.data())
    def send(case, data):
        for name in case.path_parameters:
            if name in KNOWN and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(KNOWN[name]))
        assume(_can_be_sent(case))
        case.call_and_validate(headers=headers[caller], checks=CHECKS)

    send()


def _can_be_sent(case) -> bool:
    """A WSGI server hands over latin-1; what it would refuse itself never comes here."""
    try:
        json.dumps(case.headers or {}).encode("ascii")
    except (TypeError, ValueError):
        return False
    return True
