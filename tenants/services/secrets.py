"""Write-only values of an installation. No answer, log line or audit event ever has one."""

import re
from typing import Any

from hotswap.lib.errors import InvalidInputError, NotFoundError
from plugins.models import PluginVersion, VersionStatus
from tenants.models import TenantPluginConfig, TenantSecret
from tenants.secrets import store_secret
from tenants.services.installations import (
    edit_installation,
    record_installation,
    refuse_suspended,
)

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
MAX_VALUE_BYTES = 16 * 1024
MAX_SECRETS = 50


def set_secret(*, installation: TenantPluginConfig, key: str, value: str, by: Any) -> None:
    """Store the value under a name that some version of the plugin declares."""
    refuse_suspended(installation.tenant)
    _check_name(installation, key)
    _check_value(value)
    with edit_installation(installation, by=by) as edit:
        others = TenantSecret.objects.filter(installation=edit.row).exclude(key=key)
        if others.count() >= MAX_SECRETS:
            raise InvalidInputError(
                f"installation {edit.row} has {MAX_SECRETS} secrets, the most there can be; "
                "delete one first"
            )
        created = store_secret(edit.row, key, value)
        record_installation(edit.row, "secret_set", by, after={"name": key, "is_new": created})
        edit.move_epoch()


def delete_secret(*, installation: TenantPluginConfig, key: str, by: Any) -> None:
    """Forget the value. Raises ``NotFoundError`` when there is none by that name."""
    with edit_installation(installation, by=by) as edit:
        deleted, _ = TenantSecret.objects.filter(installation=edit.row, key=key).delete()
        if not deleted:
            raise NotFoundError(f"installation {edit.row} has no secret {key[:60]}")
        record_installation(edit.row, "secret_deleted", by, after={"name": key})
        edit.move_epoch()


def declared_names(installation: TenantPluginConfig) -> set[str] | None:
    """The secrets that the plugin's versions ask for; None while it has no version."""
    versions = PluginVersion.objects.filter(plugin=installation.plugin_id)
    manifests = versions.exclude(status=VersionStatus.REJECTED).values_list("manifest", flat=True)
    found = [set(manifest.get("secrets", {})) for manifest in manifests]
    return set().union(*found) if found else None


def _check_name(installation: TenantPluginConfig, key: str) -> None:
    if not NAME.fullmatch(key):
        raise _bad("key", "must be lower-case letters, digits and _, a letter first, at most 63")
    declared = declared_names(installation)
    if declared is not None and key not in declared:
        known = ", ".join(sorted(declared)) or "none"
        raise _bad("key", f"no version of {installation.plugin} declares it; declared are {known}")


def _check_value(value: str) -> None:
    if not isinstance(value, str) or not value:
        raise _bad("value", "must be a text, not empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise _bad("value", "has a lone surrogate, which is not text") from error
    if size > MAX_VALUE_BYTES or "\0" in value:
        raise _bad("value", f"must have at most {MAX_VALUE_BYTES} bytes and no NUL")


def _bad(field: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"The secret's {field} {reason}.", fields={field: [reason]})
