"""One attempt, from the claimed row to a lock or a reason."""

import tempfile
from functools import partial
from pathlib import Path

import structlog

from hotswap.lib.errors import HotSwapError
from plugins.jails import jail_settings
from plugins.locks import LockedPackage
from plugins.models import Resolution
from plugins.resolving.attempts import claim_next, fail, finish, save_note, sole_resolver
from plugins.resolving.broker import IndexBroker
from plugins.resolving.errors import ResolutionError, SupersededError
from plugins.resolving.index import configured_index
from plugins.resolving.jailed import choose_wheels
from plugins.resolving.wheels import store_wheels

logger = structlog.get_logger(__name__)


def resolve_waiting() -> int:
    """Resolve what waits, one after the other; 0 at once where another worker is at it."""
    done = 0
    with sole_resolver() as is_ours:
        while is_ours and (row := claim_next()):
            _attempt(row)
            done += 1
    return done


def _attempt(row: Resolution) -> None:
    try:
        finish(row, _resolve(row))
    except SupersededError:
        logger.warning("resolution_superseded", version=str(row.version), attempt=row.attempt)
    except HotSwapError as error:
        _fail(row, ResolutionError(error.message, code=error.code, fields=error.fields))
    # A row that stays running would be tried again for ever.
    except Exception as error:
        logger.exception("resolution_broke", version=str(row.version))
        _fail(row, ResolutionError(f"The platform failed at it: {type(error).__name__}."))


def _fail(row: Resolution, error: ResolutionError) -> None:
    try:
        fail(row, error)
    except SupersededError:
        logger.warning("resolution_superseded", version=str(row.version), attempt=row.attempt)


def _resolve(row: Resolution) -> list[LockedPackage]:
    manifest = row.version.manifest
    requirements = manifest.get("dependencies", {}).get("python", [])
    native = bool(manifest.get("permissions", {}).get("native", False))
    index, jail, note = configured_index(), jail_settings(), partial(save_note, row)
    if index is None:
        raise ResolutionError(
            "No package index is configured: set HOTSWAP_INDEX_URL, then try again.",
            code="index_unavailable",
        )
    with (
        tempfile.TemporaryDirectory(prefix="hotswap-wheels-") as directory,
        IndexBroker(index, Path(directory), note) as broker,
    ):
        choices = choose_wheels(requirements, native=native, broker=broker, jail=jail)
        note(f"Chose {len(choices)} packages")
        return store_wheels(choices, native=native, broker=broker, jail=jail, note=note)
