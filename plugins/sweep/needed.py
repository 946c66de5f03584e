"""Which artifacts the rows need: those of versions, and the wheels of locks."""

from plugins.abandoned import is_open
from plugins.models import DependencyLock, PluginVersion
from plugins.storage.names import ARTIFACTS, STAGING, artifact_key

_ROWS = 500


def needed_keys() -> dict[str, str]:
    """Each key with who needs it, as of now."""
    needed: dict[str, str] = {}
    locks = DependencyLock.objects.values_list("digest", "packages")
    for digest, packages in locks.iterator(chunk_size=_ROWS):
        for package in packages:
            key = artifact_key(package["sha256"])
            needed[key] = f"lock {digest[:12]}: {package['filename']}"
    versions = PluginVersion.objects.values_list("artifact_digest", "plugin__name", "version")
    for digest, name, version in versions.iterator(chunk_size=_ROWS):
        needed[artifact_key(digest)] = f"{name} {version}"
    return needed


def is_needed(key: str) -> bool:
    """Asked again right before something is said or done about the object."""
    if key.startswith(STAGING):
        return is_open(key.removeprefix(STAGING))
    digest = key.removeprefix(ARTIFACTS)
    if PluginVersion.objects.filter(artifact_digest=digest).exists():
        return True
    return DependencyLock.objects.filter(packages__contains=[{"sha256": digest}]).exists()
