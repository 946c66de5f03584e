"""Databases of a test run, each a copy of the migrated template."""

import psycopg

from tests.servers import DATABASE, database_url

TEMPLATE = "hotswap_template"


def recreate_database(name: str = DATABASE) -> None:
    """Put ``name`` back to what the migrations leave: their rows are there, nothing else is.

    Sessions of other processes on it are ended. hotswap_web may not TRUNCATE, and a flush would
    lose the seeded rows.
    """
    drop_database(name)
    _as_superuser(
        f"CREATE DATABASE {name} OWNER hotswap_owner TEMPLATE {TEMPLATE} STRATEGY file_copy"
    )


def drop_database(name: str = DATABASE) -> None:
    _as_superuser(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _as_superuser(statement: str) -> None:
    with psycopg.connect(database_url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(statement)
