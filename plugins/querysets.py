"""Where lists of plugins and versions start."""

from typing import Any, Self

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from packaging.version import Version

_FINAL = "z"  # sorts after every pre-release letter
_DOCUMENTS = ("manifest", "sbom", "signature", "approval", "warnings")


class PluginQuerySet(QuerySet[Any]):
    def for_list(self) -> Self:
        """What a list of plugins shows, in one query."""
        # Counted for the rows of the page alone: a join would count every plugin's versions.
        versions = self.model._meta.get_field("versions").related_model.objects.order_by()
        same = versions.filter(plugin=OuterRef("pk")).values("plugin")
        count = Coalesce(Subquery(same.annotate(count=Count("pk")).values("count")), 0)
        return self.select_related("owner", "replacement").annotate(version_count=count)


class VersionQuerySet(QuerySet[Any]):
    def for_list(self) -> Self:
        """Without the bill of materials, which names every file and has an address of its own."""
        return self.select_related("plugin__owner", "uploaded_by").defer("sbom")

    def approved_before(self, version: Any) -> Self:
        """Older versions of the same plugin that somebody approved, newest first."""
        older = self.filter(plugin_id=version.plugin_id, sort_key__lt=version.sort_key)
        return older.filter(approval__isnull=False).order_by("-sort_key")


def documents_of(*paths: str) -> list[str]:
    """For ``defer``: what is large of the versions at these paths, and no list shows."""
    return [f"{path}__{name}" for path in paths for name in _DOCUMENTS]


def sort_key(version: Version) -> str:
    """A text that orders as the versions do, in any collation."""
    release = ".".join(f"{part:06}" for part in version.release)
    stage = f"{version.pre[0]}{version.pre[1]:06}" if version.pre else _FINAL
    return f"{release}.{stage}"
