"""What can be deployed, whose it is, and who may ask."""

from plugins.models.credentials import (
    Account,
    ApiKey,
    CredentialGeneration,
    IdempotencyRecord,
)
from plugins.models.registry import (
    LOADABLE,
    VERSION_TRANSITIONS,
    Environment,
    Plugin,
    PluginDependency,
    PluginVersion,
    VersionDecision,
    VersionStatus,
    validate_name,
)
from plugins.models.resolution import (
    DependencyLock,
    Resolution,
    ResolutionStatus,
)
from plugins.models.trust import (
    PublisherKey,
)
from plugins.models.uploads import (
    PresignedUpload,
)

__all__ = [
    "LOADABLE",
    "VERSION_TRANSITIONS",
    "Account",
    "ApiKey",
    "CredentialGeneration",
    "DependencyLock",
    "Environment",
    "IdempotencyRecord",
    "Plugin",
    "PluginDependency",
    "PluginVersion",
    "PresignedUpload",
    "PublisherKey",
    "Resolution",
    "ResolutionStatus",
    "VersionDecision",
    "VersionStatus",
    "validate_name",
]
