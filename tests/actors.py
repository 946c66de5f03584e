"""Who the tests are about: bob develops, carol approves, ada administers; alice and mallory own
tenants.
"""

import pytest
from django.contrib.auth.hashers import (
    PBKDF2PasswordHasher,
    get_hashers,
    get_hashers_by_algorithm,
)

from hotswap.lib.database import scope_all
from tests.factories import make_tenant, make_user


class QuickHasher(PBKDF2PasswordHasher):
    """Hashes that real processes accept too, a thousand times cheaper."""

    iterations = 1


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch):
    hashers = [f"{__name__}.{QuickHasher.__name__}"]
    monkeypatch.setattr("django.conf.settings.PASSWORD_HASHERS", hashers)
    get_hashers.cache_clear()
    get_hashers_by_algorithm.cache_clear()


@pytest.fixture(autouse=True)
def platform_scope(request):
    """Rows of every tenant exist for a test's own queries, as for platform staff.

    Requests made through the test client still get their user's scope from the middleware.
    Mark a test ``no_scope`` to begin as a connection does in production: without any row.
    """
    wants_database = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    wants_database |= {"marked"} if request.node.get_closest_marker("django_db") else set()
    if not wants_database or request.node.get_closest_marker("no_scope"):
        yield
        return
    name = "transactional_db" if "transactional_db" in request.fixturenames else "db"
    request.getfixturevalue(name)
    with scope_all():
        yield


@pytest.fixture
def ada(db):
    """An Admin."""
    return make_user("ada", is_admin=True)


@pytest.fixture
def bob(db):
    """A Developer, who owns the plugins that the factories make."""
    return make_user("bob", role="Developer")


@pytest.fixture
def carol(db):
    """An Approver."""
    return make_user("carol", role="Approver")


@pytest.fixture
def victor(db):
    """A Viewer."""
    return make_user("victor", role="Viewer")


@pytest.fixture
def alice(db):
    """Owns acme."""
    return make_user("alice")


@pytest.fixture
def mallory(db):
    """Owns globex and wants what is acme's."""
    return make_user("mallory")


@pytest.fixture
def acme(platform_scope, alice):
    return make_tenant("acme", owner=alice)


@pytest.fixture
def globex(platform_scope, mallory):
    return make_tenant("globex", owner=mallory)
