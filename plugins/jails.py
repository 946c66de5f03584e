"""The jails of this machine as Django's settings describe them."""

import os
from pathlib import Path

from django.conf import settings

from hotswap.lib.errors import InvalidInputError
from sandbox.engine.attestation import Tier
from sandbox.engine.jail import JailSettings
from sandbox.engine.uids import is_mapped

ROOT_LAYERS = Path("/var/lib/hotswap")
UID_MAP = Path("/proc/self/uid_map")


def jail_settings() -> JailSettings:
    """As root, layers lie where the jails' own uids can walk; else in the home."""
    own = ROOT_LAYERS if os.geteuid() == 0 else Path(settings.HOTSWAP_HOME) / "layers"
    root = Path(settings.LAYERS_DIR) if settings.LAYERS_DIR else own
    return JailSettings(layers_root=root, uid_range=_uid_range(), minimum=_minimum())


def _minimum() -> Tier:
    try:
        return Tier[settings.JAIL_MINIMUM.upper()]
    except KeyError as error:
        known = ", ".join(tier.name.lower() for tier in Tier if tier)
        raise InvalidInputError(
            f"HOTSWAP_JAIL_MINIMUM is {settings.JAIL_MINIMUM!r}; possible are {known}."
        ) from error


def _uid_range() -> tuple[int, int] | None:
    """The engine's own range where the user namespace does not map the one that is set."""
    first, last = settings.JAIL_UIDS
    uid_map = UID_MAP.read_text()
    return (first, last) if is_mapped(first, uid_map) and is_mapped(last, uid_map) else None
