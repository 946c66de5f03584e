"""What the other tests rely on: roles, a fresh database for each test, an empty Valkey."""

import psycopg
import pytest
import redis
from django.db import connection


@pytest.mark.django_db
def test_tests_run_as_hotswap_web_which_cannot_bypass_row_level_security():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("hotswap_web", False, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", [1, 2])
def test_a_transactional_test_starts_with_what_the_migrations_left(attempt, connect_as):
    owner = connect_as("owner")
    owner.execute("CREATE TABLE left_behind ()")
    assert owner.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0


def test_an_instance_may_not_read_what_no_migration_granted(connect_as):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect_as("instance").execute("SELECT * FROM django_migrations")


@pytest.mark.parametrize("attempt", [1, 2])
def test_each_test_finds_valkey_empty(attempt, redis_url):
    client = redis.Redis.from_url(redis_url)
    assert client.keys() == []
    client.set("left", "behind")
    client.close()
