"""Everything that changes a tenant, its members or an installation. Each is one transaction."""

from tenants.services.installations import (
    check_config,
    disable_installation,
    enable_installation,
    pin_installation,
    set_config,
    set_quotas,
    unpin_installation,
)
from tenants.services.members import add_member, remove_member
from tenants.services.secrets import delete_secret, set_secret
from tenants.services.tenants import (
    create_tenant,
    delete_tenant,
    resume_tenant,
    suspend_tenant,
    update_tenant,
)

__all__ = [
    "add_member",
    "check_config",
    "create_tenant",
    "delete_secret",
    "delete_tenant",
    "disable_installation",
    "enable_installation",
    "pin_installation",
    "remove_member",
    "resume_tenant",
    "set_config",
    "set_quotas",
    "set_secret",
    "suspend_tenant",
    "unpin_installation",
    "update_tenant",
]
