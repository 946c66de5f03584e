"""What is kept of an artifact with its version: its bill of materials and its warnings."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from plugins.incoming import Incoming
from plugins.models import DependencyLock, PluginVersion
from plugins.trust.members import read_members
from plugins.trust.sbom import SbomFile, add_packages, make_sbom
from plugins.trust.secret_scan import SecretScan


def content_values(incoming: Incoming) -> Mapping[str, Any]:
    """The fields ``sbom`` and ``warnings`` of a new version's row, from one more reading."""
    scan, files = SecretScan(), []
    for member in read_members(incoming.artifact.path, incoming.contents.entries):
        files.append(SbomFile(member.path, member.sha256))
        scan.add(member.path, member.start)
    sbom = make_sbom(incoming.manifest, incoming.artifact.digest, files, timezone.now())
    return {"sbom": sbom, "warnings": scan.warnings()}


def record_packages(version: PluginVersion, lock: DependencyLock) -> None:
    """Complete the version's bill with what its dependencies resolved to; the same lock again
    changes nothing.
    """
    if not version.sbom:
        return
    completed = add_packages(version.sbom, lock.packages)
    if completed["components"] != version.sbom["components"]:
        version.sbom = completed
        PluginVersion.objects.filter(pk=version.pk).update(sbom=completed)
