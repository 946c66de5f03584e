"""What happens to a database connection that goes back to its pool."""

from typing import Any


def clear_scope(raw_connection: Any) -> None:
    """The pool's reset callback: a connection goes back without any tenant's rights."""
    raw_connection.execute("SELECT set_config('hotswap.scope', '', false)")
    raw_connection.commit()
