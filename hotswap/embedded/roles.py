"""The database, its four roles and their default rights: deploy/roles.sql, applied to an embedded
server.
"""

from pathlib import Path

from hotswap.embedded.postgres import Postgres

ROLES_SQL = Path(__file__).resolve().parents[2] / "deploy" / "roles.sql"


def apply_roles(postgres: Postgres, database: str = "hotswap") -> None:
    """Make the roles and ``database`` where they are missing and put their rights in order."""
    postgres.psql(ROLES_SQL, variables={"database": database})
