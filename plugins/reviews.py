"""What somebody who decides about a version should have seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugins.compatibility import breaking_changes
from plugins.grants import GrantChange, grant_changes
from plugins.models import PluginVersion


@dataclass(frozen=True, slots=True)
class Review:
    """Compared with ``older``, the newest older version that was approved; None: there is none."""

    version: PluginVersion
    older: PluginVersion | None
    breaking: Sequence[Any]
    grant_changes: Sequence[GrantChange]

    @property
    def warnings(self) -> Sequence[dict[str, Any]]:
        return self.version.warnings or ()


def review_of(version: PluginVersion) -> Review:
    older = PluginVersion.objects.approved_before(version).first()
    if older is None:
        return Review(version, None, (), ())
    return Review(
        version,
        older,
        breaking_changes(older.manifest, version.manifest),
        grant_changes(older.manifest, version.manifest),
    )
