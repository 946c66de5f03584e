"""Optimistic locking: a row's ``revision`` counts its changes."""

from hotswap.lib.errors import StaleError


def check_revision(what: str, wanted: int | None, current: int) -> None:
    """Raise ``StaleError`` unless the caller saw the current revision, or did not say."""
    if wanted is not None and wanted != current:
        raise StaleError(
            f"{what} has changed since you read it: it is at revision {current}. Read it again."
        )
