"""What ``manage.py check`` refuses: settings and rights under which the promises do not hold."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

INSECURE = "insecure-"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PRIVATE_KEYS = ("jwt.pem", "signing.pem", "kek")


@register(Tags.security)
def check_secret_key(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """The built-in key is public, so whoever has it could sign sessions."""
    if settings.DEBUG or not settings.SECURE_TLS or not settings.SECRET_KEY.startswith(INSECURE):
        return []
    return [
        Error(
            "HOTSWAP_SECRET_KEY is the built-in one.",
            hint="Set HOTSWAP_SECRET_KEY, or HOTSWAP_SECRET_KEY_FILE, to 50 random characters.",
            id="hotswap.E001",
        )
    ]


@register(Tags.security)
def check_key_files(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Instances and other users of the machine must not read what signs and encrypts."""
    paths = [Path(settings.KEYS_DIR) / name for name in PRIVATE_KEYS]
    return [
        Error(
            f"{path} can be read by other users of this machine.",
            hint=f"chmod 600 {path}; then rotate it, because it may have been read.",
            id="hotswap.E002",
        )
        for path in paths
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


@register(Tags.security)
def check_index(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Digests come from the index itself, so whoever can change its pages chooses the packages."""
    url = urlsplit(settings.INDEX_URL)
    if not settings.INDEX_URL or url.scheme == "https":
        return []
    if url.scheme != "http" or not url.hostname:
        return [
            Error(
                "HOTSWAP_INDEX_URL is not an http or https address.",
                hint="Set it to the address of a Simple index, or leave it out.",
                id="hotswap.E004",
            )
        ]
    if settings.DEBUG or not settings.SECURE_TLS or url.hostname in LOOPBACK:
        return []
    return [
        Warning(
            "HOTSWAP_INDEX_URL is plain http: anybody on the way could swap packages.",
            hint="Use an https address.",
            id="hotswap.W001",
        )
    ]


@register(Tags.database)
def check_database_role(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Row-level security holds only for a role that cannot bypass it."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles "
                "WHERE rolname = current_user"
            )
            role, bypasses = cursor.fetchone()
        if bypasses:
            found.append(_bypassing(role))
    return found


def _bypassing(role: str) -> Error:
    return Error(
        f"The database role {role} bypasses row-level security: tenants are not kept apart.",
        hint="Connect as hotswap_web or hotswap_system; deploy/roles.sql makes them.",
        id="hotswap.E003",
    )
