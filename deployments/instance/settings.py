"""What an instance needs to know before it starts, out of Django's settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from deployments.instance.leases import Limits
from plugins.jails import jail_settings
from sandbox.engine.jail import JailSettings


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


def database_parameters() -> dict[str, Any]:
    """What psycopg connects with; Django's own cursors and adapters stay with Django."""
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold", "options", "pool"):
        parameters.pop(name, None)
    return {key: value for key, value in parameters.items() if value is not None}
