"""What an instance needs to know before it starts, out of Django's settings."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from deployments.instance.leases import Limits
from hotswap.lib.errors import InvalidInputError
from sandbox.engine.attestation import Tier
from sandbox.engine.jail import JailSettings
from sandbox.engine.uids import is_mapped

ROOT_LAYERS = Path("/var/lib/hotswap")
UID_MAP = Path("/proc/self/uid_map")


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    name: str
    environment: str
    listen: str
    internal: Path
    home: Path
    database: dict[str, Any]
    redis_url: str
    public_keys: Path
    jail: JailSettings
    processes: int
    stale_limit_seconds: float
    default_limits: Limits


def read_settings(
    name: str, environment: str, listen: str, internal: Path | None
) -> InstanceSettings:
    home = Path(settings.HOTSWAP_HOME) / "instances" / name
    return InstanceSettings(
        name=name,
        environment=environment,
        listen=listen,
        internal=internal or home / "inside.sock",
        home=home,
        database=database_parameters(),
        redis_url=settings.REDIS_URL,
        public_keys=Path(settings.PUBLIC_KEYS_DIR),
        jail=jail_settings(),
        processes=settings.INSTANCE_MAX_PROCESSES,
        stale_limit_seconds=settings.STALE_LIMIT_SECONDS,
        default_limits=Limits(settings.DEFAULT_REQUESTS_PER_MINUTE, settings.DEFAULT_CONCURRENCY),
    )


def jail_settings() -> JailSettings:
    """As root, layers lie where the jails' own uids can walk; else in the home."""
    own = ROOT_LAYERS if os.geteuid() == 0 else Path(settings.HOTSWAP_HOME) / "layers"
    root = Path(settings.LAYERS_DIR) if settings.LAYERS_DIR else own
    return JailSettings(layers_root=root, uid_range=_uid_range(), minimum=_minimum())


def database_parameters() -> dict[str, Any]:
    """What psycopg connects with; Django's own cursors and adapters stay with Django."""
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold", "options", "pool"):
        parameters.pop(name, None)
    return {key: value for key, value in parameters.items() if value is not None}


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
