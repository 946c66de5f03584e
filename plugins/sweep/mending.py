"""What a person may let the sweep do about its findings. It is never done by itself."""

from dataclasses import replace

from plugins.storage import ArtifactStore, StorageError
from plugins.sweep.findings import Problem, SweepFinding
from plugins.sweep.needed import is_needed
from plugins.sweep.walk import Sweep


def restore(store: ArtifactStore, finding: SweepFinding) -> SweepFinding:
    """Put the newest intact version back, and look whether that is what is read now."""
    if finding.problem is Problem.ORPHANED or not finding.earlier:
        return finding
    store.backend.restore(finding.key, finding.earlier)
    if not Sweep(store).intact(finding.key):
        raise StorageError(
            f"{store.describe()} still gives other bytes for {finding.key} after version "
            f"{finding.earlier} was restored: somebody or something keeps changing it."
        )
    return replace(finding, is_mended=True)


def remove_orphan(store: ArtifactStore, finding: SweepFinding) -> SweepFinding:
    """Unless a row refers to it by now. A versioned bucket keeps what is removed as a version."""
    if finding.problem is not Problem.ORPHANED or is_needed(finding.key):
        return finding
    store.backend.delete(finding.key)
    return replace(finding, is_mended=True)
